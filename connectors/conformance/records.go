package conformance

import (
	"context"
	"slices"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

func digestsFollowTheContent(ctx context.Context, t T, s Subject) {
	for _, st := range connect(t, s, Setup{}).Streams() {
		small := readAll(ctx, t, s, connect(t, s, Setup{PageSize: smallPage}), st)
		large := readAll(ctx, t, s, connect(t, s, Setup{}), st)
		for id, rec := range large.seen {
			if small.seen[id].Digest != rec.Digest {
				t.Errorf("%s %s: two pulls of the same content give two digests", st.Resource, id)
			}
		}
		id, ok := tryAny(t, s, st.Resource, Edit, large.present())
		if !ok {
			continue
		}
		s.Advance(settling)
		after := readAll(ctx, t, s, connect(t, s, Setup{}), st)
		if after.seen[id].Digest == large.seen[id].Digest {
			t.Errorf("%s %s: its content has changed and its digest has not", st.Resource, id)
		}
	}
}

func fetchAnswersInOrder(ctx context.Context, t T, s Subject) {
	conn := connect(t, s, Setup{})
	for _, st := range conn.Streams() {
		r := readAll(ctx, t, s, conn, st)
		if recs, err := conn.Fetch(ctx, nil); err != nil || len(recs) != 0 {
			t.Errorf("fetch of nothing: %d records, %v", len(recs), err)
		}
		refs := r.refs()
		if len(refs) == 0 {
			continue
		}
		slices.Reverse(refs)
		refs = append(refs, refs[0]) // one of them twice
		recs := fetch(ctx, t, s, conn, st, refs)
		for i, rec := range recs {
			if rec.Digest != r.seen[refs[i].ID].Digest {
				t.Errorf("%s %s: fetched it has another digest than pulled", st.Resource, refs[i].ID)
			}
		}
	}
}

// fetch fetches and checks what can be said of any answer.
func fetch(ctx context.Context, t T, s Subject, conn connectors.Connector, st connectors.Stream, refs []intake.Ref) []intake.Record {
	t.Helper()
	what := "fetch " + string(st.Resource)
	recs, err := conn.Fetch(ctx, refs)
	if err != nil {
		checkError(t, what, err)
		t.Fatalf("%s: %v", what, err)
	}
	if len(recs) != len(refs) {
		t.Fatalf("%s: %d records for %d refs", what, len(recs), len(refs))
	}
	for i, rec := range recs {
		checkRecord(t, s, what, st.Resource, rec)
		if rec.Ref.Kind != refs[i].Kind || rec.Ref.ID != refs[i].ID {
			t.Fatalf("%s: answer %d is %s %s, asked for %s %s", what, i, rec.Ref.Kind, rec.Ref.ID, refs[i].Kind, refs[i].ID)
		}
	}
	return recs
}

func fetchTellsWhatIsGone(ctx context.Context, t T, s Subject) {
	conn := connect(t, s, Setup{})
	for _, st := range conn.Streams() {
		refs := readAll(ctx, t, s, conn, st).refs()
		refs = refs[:min(len(refs), 9)]
		gone := map[string]bool{}
		for i := 1; i < len(refs); i += 3 { // mixed with those that are there
			if id, ok := try(t, s, st.Resource, Remove, refs[i].ID); ok {
				gone[id] = true
			}
		}
		if len(gone) == 0 {
			continue
		}
		s.Advance(settling)
		here := s.IDs(st.Resource)
		for _, rec := range fetch(ctx, t, s, conn, st, refs) {
			id := rec.Ref.ID
			if gone[id] != rec.Gone() && gone[id] != slices.Contains(here, id) {
				t.Errorf("%s %s: gone is %v, want %v", st.Resource, id, rec.Gone(), gone[id])
			}
		}
		var only []intake.Ref
		for _, ref := range refs {
			if gone[ref.ID] {
				only = append(only, ref)
			}
		}
		for _, rec := range fetch(ctx, t, s, conn, st, only) {
			if !rec.Gone() {
				t.Errorf("%s %s: fetched alone it is not gone", st.Resource, rec.Ref.ID)
			}
		}
	}
}

// A change that leaves the date alone is found by reading the record again,
// where the stream asks for that; elsewhere a pull must see it.
func quietChangesAreFoundByTheReread(ctx context.Context, t T, s Subject) {
	conn := connect(t, s, Setup{})
	for _, st := range conn.Streams() {
		for _, c := range []Change{Quiet, Unrefund} {
			r := readAll(ctx, t, s, conn, st)
			id, ok := tryAny(t, s, st.Resource, c, r.present())
			if !ok {
				continue
			}
			was := r.seen[id].Digest
			if st.Reread > 0 {
				for _, rec := range fetch(ctx, t, s, conn, st, r.refs()) {
					r.seen[rec.Ref.ID] = rec
				}
			} else {
				readOn(t, s, r, Setup{})
			}
			if r.seen[id].Digest == was {
				t.Errorf("%s: %s of %s is lost (Reread: %v)", st.Resource, c, id, st.Reread)
			}
		}
	}
}

// A record that is gone is noticed: by a pull, or by the sweep that the stream
// asks for and a fetch.
func removedRecordsAreNoticed(ctx context.Context, t T, s Subject) {
	conn := connect(t, s, Setup{PageSize: smallPage})
	for _, st := range conn.Streams() {
		r := readAll(ctx, t, s, conn, st)
		id, ok := tryAny(t, s, st.Resource, Remove, rotate(r.present(), 2))
		if !ok {
			continue
		}
		ref := r.seen[id].Ref
		readOn(t, s, r, Setup{PageSize: smallPage})
		if !st.Vanishes {
			again := newReader(ctx, t, s, conn, st)
			again.run()
			if _, still := again.seen[id]; still || (!st.Full && !r.seen[id].Gone()) {
				t.Errorf("%s: that %s was removed is lost, and the stream does not say that it Vanishes", st.Resource, id)
			}
			continue
		}
		if slices.Contains(list(ctx, t, conn, st.Resource), id) {
			t.Errorf("%s: %s was removed and is still listed", st.Resource, id)
		}
		if rec := fetch(ctx, t, s, conn, st, []intake.Ref{ref})[0]; !rec.Gone() {
			t.Errorf("%s: %s was removed and is still fetched", st.Resource, id)
		}
	}
}

// A record in the trash is told of by a pull of one stream or another, or it
// is out of the list that the sweep reads. A fetch does not call it gone.
func shelvedRecordsAreNoticed(ctx context.Context, t T, s Subject) {
	setup := Setup{PageSize: smallPage}
	conn := connect(t, s, setup)
	readers := map[intake.Resource]*reader{}
	for _, st := range conn.Streams() {
		readers[st.Resource] = readAll(ctx, t, s, conn, st)
	}
	for _, st := range conn.Streams() {
		r := readers[st.Resource]
		id, ok := tryAny(t, s, st.Resource, Shelve, r.present())
		if !ok {
			continue
		}
		was := r.seen[id]
		told := false
		for _, other := range readers {
			if intake.KindOf(other.stream.Resource) != was.Ref.Kind {
				continue
			}
			readOn(t, s, other, setup)
			if rec, ok := other.seen[id]; ok && rec.Digest != was.Digest {
				told = true
			}
		}
		if !told && st.Vanishes {
			told = !slices.Contains(list(ctx, t, conn, st.Resource), id)
		}
		if !told {
			t.Errorf("%s: that %s is in the trash is lost", st.Resource, id)
		}
		if rec := fetch(ctx, t, s, conn, st, []intake.Ref{was.Ref})[0]; rec.Digest == was.Digest {
			t.Errorf("%s: fetched from the trash, %s looks as before", st.Resource, id)
		}
	}
}

func listNamesEveryRecord(ctx context.Context, t T, s Subject) {
	conn := connect(t, s, Setup{PageSize: smallPage})
	lister, ok := conn.(connectors.Lister)
	if !ok {
		t.Logf("no Lister")
		return
	}
	for _, st := range conn.Streams() {
		if !st.Vanishes {
			continue
		}
		ids := list(ctx, t, conn, st.Resource)
		if missing := without(s.IDs(st.Resource), ids); len(missing) > 0 {
			t.Errorf("%s: %s are not listed: a sweep would take them for gone", st.Resource, some(missing))
		}
		if extra := without(ids, s.IDs(st.Resource)); len(extra) > 0 {
			t.Errorf("%s: %s are listed and not there", st.Resource, some(extra))
		}
		if len(ids) == 0 {
			continue
		}
		stop := context.Canceled
		if err := lister.List(ctx, st.Resource, func([]intake.Ref) error { return stop }); err != stop {
			t.Errorf("%s: List returns %v, not the error of yield", st.Resource, err)
		}
	}
}

func list(ctx context.Context, t T, conn connectors.Connector, r intake.Resource) []string {
	t.Helper()
	ids, err := listed(ctx, t, conn, r)
	if err != nil {
		checkError(t, "list "+string(r), err)
		t.Fatalf("list %s: %v", r, err)
	}
	return ids
}

func listed(ctx context.Context, t T, conn connectors.Connector, r intake.Resource) ([]string, error) {
	t.Helper()
	var ids []string
	err := conn.(connectors.Lister).List(ctx, r, func(refs []intake.Ref) error {
		for _, ref := range refs {
			if ref.Kind != intake.KindOf(r) {
				t.Errorf("list %s: %s %s is of another kind", r, ref.Kind, ref.ID)
			}
			ids = append(ids, ref.ID)
		}
		return nil
	})
	return ids, err
}
