package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

const (
	// smallPage is a size at which every stream has several pages.
	smallPage = 3
	// settling is how long after a change it must have been seen: longer than
	// any margin that a connector keeps to the shop's clock.
	settling = 15 * time.Minute
	// mostPages bounds a run: a connector that goes in circles ends there.
	mostPages = 5000
	// shown bounds the ids in a message.
	shown = 8
)

// reader follows one stream as the engine does, and keeps the last statement
// about each record.
type reader struct {
	t      T
	ctx    context.Context
	s      Subject
	stream connectors.Stream
	conn   connectors.Connector

	cursor connectors.Cursor // of the page read last
	seen   map[string]intake.Record
	last   []intake.Record // of the page read last
	rows   int             // records read, repeats included
	pages  int

	// between, when set, is called after each page that has another behind.
	between func(page int)
	// forgive, when set, is asked about an error; true: read the page again.
	forgive func(err error) bool
}

func newReader(ctx context.Context, t T, s Subject, conn connectors.Connector, st connectors.Stream) *reader {
	return &reader{t: t, ctx: ctx, s: s, stream: st, conn: conn, seen: map[string]intake.Record{}}
}

// step reads one page and reports whether there is more.
func (r *reader) step() (more bool) {
	r.t.Helper()
	for tries := 0; ; tries++ {
		page, err := r.conn.Pull(r.ctx, r.stream.Resource, bytes.Clone(r.cursor))
		if err != nil {
			checkError(r.t, r.what(), err)
			if r.forgive != nil && tries < 20 && r.forgive(err) {
				continue
			}
			r.t.Fatalf("%s: %v", r.what(), err)
		}
		r.take(page)
		return page.More
	}
}

// run reads to the end of the run.
func (r *reader) run() {
	r.t.Helper()
	for range mostPages {
		before := r.cursor
		if !r.step() {
			return
		}
		if bytes.Equal(before, r.cursor) {
			r.t.Fatalf("%s: More is set and the cursor does not move: %q", r.what(), r.cursor)
		}
		if r.between != nil {
			r.between(r.pages)
		}
	}
	r.t.Fatalf("%s: no end after %d pages", r.what(), mostPages)
}

func (r *reader) take(p connectors.Page) {
	r.t.Helper()
	if len(p.Next) == 0 {
		r.t.Fatalf("%s: Next is empty (records: %d)", r.what(), len(p.Records))
	}
	for _, rec := range p.Records {
		checkRecord(r.t, r.s, r.what(), r.stream.Resource, rec)
		r.seen[rec.Ref.ID] = rec
	}
	r.last = p.Records
	r.rows += len(p.Records)
	r.pages++
	r.cursor = p.Next
}

func (r *reader) what() string { return fmt.Sprintf("pull %s, page %d", r.stream.Resource, r.pages+1) }

// resume goes on with another connector, as after a crash: a stream that is
// not sorted begins its run again.
func (r *reader) resume(conn connectors.Connector, begin connectors.Cursor) {
	r.conn = conn
	if !r.stream.Sorted {
		r.cursor = begin
	}
}

// present lists the ids that the last statement says the shop has.
func (r *reader) present() []string {
	var ids []string
	for id, rec := range r.seen {
		if !rec.Gone() {
			ids = append(ids, id)
		}
	}
	sort.Strings(ids)
	return ids
}

// refs returns the refs of the records seen that ids names, all where it names
// none, in a fixed order.
func (r *reader) refs(ids ...string) []intake.Ref {
	if len(ids) == 0 {
		ids = r.present()
	}
	var refs []intake.Ref
	for _, id := range ids {
		if rec, ok := r.seen[id]; ok {
			refs = append(refs, rec.Ref)
		}
	}
	return refs
}

// checkRecord checks what can be said of any record by itself.
func checkRecord(t T, s Subject, what string, res intake.Resource, rec intake.Record) {
	t.Helper()
	name := fmt.Sprintf("%s: %s %s", what, rec.Ref.Kind, rec.Ref.ID)
	if rec.Ref.ID == "" {
		t.Errorf("%s has no id", name)
	}
	if want := intake.KindOf(res); rec.Ref.Kind != want {
		t.Errorf("%s is not of kind %s", name, want)
	}
	if rec.Gone() {
		if rec.Digest != "" {
			t.Errorf("%s is gone and has a digest", name)
		}
		return
	}
	if unreadable := slices.Contains(s.Unreadable(res), rec.Ref.ID); unreadable != (rec.Problem != "") {
		t.Errorf("%s: its problem is %q, unreadable is %v", name, rec.Problem, unreadable)
	}
	if rec.Problem != "" {
		if rec.Digest == "" || len(rec.Raw) == 0 {
			t.Errorf("%s is unreadable and lacks its digest or payload", name)
		}
		return
	}
	sealed, err := intake.Seal(rec.Ref, rec.Modified, rec.Body, rec.Raw)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if rec.Digest == "" || rec.Digest != sealed.Digest || !bytes.Equal(rec.Statement, sealed.Statement) {
		t.Errorf("%s is not sealed: its digest or statement is not that of its body", name)
	}
	if body, err := intake.Reopen(rec.Ref.Kind, rec.Statement); err != nil {
		t.Errorf("%s: statement: %v", name, err)
	} else if fmt.Sprintf("%T", body) != fmt.Sprintf("%T", rec.Body) {
		t.Errorf("%s has a body of type %T, want %T", name, rec.Body, body)
	}
	if len(rec.Raw) == 0 || !json.Valid(rec.Raw) {
		t.Errorf("%s has no raw payload", name)
	}
	if !rec.Modified.IsZero() && rec.Modified.Location() != time.UTC {
		t.Errorf("%s: Modified is not in UTC", name)
	}
}

// checkError checks what can be said of any error by itself.
func checkError(t T, what string, err error) {
	t.Helper()
	var e *connectors.Error
	switch {
	case connectors.Ended(err):
	case !errors.As(err, &e):
		t.Errorf("%s: a connector lets out only *connectors.Error, not %T: %v", what, err, err)
	case e.Op == "" || e.Err == nil:
		t.Errorf("%s: the error does not say what was being done or why it failed: %+v", what, e)
	}
}

// connect returns a new connector.
func connect(t T, s Subject, setup Setup) connectors.Connector {
	t.Helper()
	conn, err := s.Connect(setup)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	return conn
}

// readAll reads a stream from its beginning to the end of a run.
func readAll(ctx context.Context, t T, s Subject, conn connectors.Connector, st connectors.Stream) *reader {
	t.Helper()
	r := newReader(ctx, t, s, conn, st)
	r.run()
	return r
}

// readOn lets changes settle and reads the next run with a new connector.
func readOn(t T, s Subject, r *reader, setup Setup) {
	t.Helper()
	r.between = nil
	s.Advance(settling)
	r.conn = connect(t, s, setup)
	r.run()
}

// nothingLost checks that each record of the shop was seen.
func nothingLost(t T, s Subject, r *reader) {
	t.Helper()
	if missing := without(s.IDs(r.stream.Resource), r.present()); len(missing) > 0 {
		t.Errorf("%s: %d of %d records are lost: %s", r.stream.Resource, len(missing), len(s.IDs(r.stream.Resource)), some(missing))
	}
}

// upToDate checks that the last statement about each of these records is what
// the shop says now.
func upToDate(t T, s Subject, r *reader, ids map[string]string) {
	t.Helper()
	here := s.IDs(r.stream.Resource)
	var names []string
	for id := range ids {
		if slices.Contains(here, id) {
			names = append(names, id)
		}
	}
	sort.Strings(names)
	refs := r.refs(names...)
	if len(refs) == 0 {
		return
	}
	recs, err := connect(t, s, Setup{}).Fetch(r.ctx, refs)
	if err != nil {
		t.Fatalf("fetch %s: %v", r.stream.Resource, err)
	}
	for i, rec := range recs {
		if id := refs[i].ID; r.seen[id].Digest != rec.Digest {
			t.Errorf("%s: the change of %s (%s) is lost", r.stream.Resource, id, ids[id])
		}
	}
}

// without returns the ids that are not in others.
func without(ids, others []string) []string {
	known := make(map[string]bool, len(others))
	for _, id := range others {
		known[id] = true
	}
	var rest []string
	for _, id := range ids {
		if !known[id] {
			rest = append(rest, id)
		}
	}
	return rest
}

func some(ids []string) string {
	if len(ids) <= shown {
		return strings.Join(ids, ", ")
	}
	return strings.Join(ids[:shown], ", ") + fmt.Sprintf(" and %d more", len(ids)-shown)
}

// anID picks the n-th of ids, in a circle; "" of none.
func anID(ids []string, n int) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[n%len(ids)]
}

// try makes a change and reports whether the shop knows it. It may be called
// from within the transport.
func try(t T, s Subject, r intake.Resource, c Change, id string) (string, bool) {
	t.Helper()
	got, err := s.Do(r, c, id)
	switch {
	case errors.Is(err, ErrCannot):
		return "", false
	case err != nil:
		t.Errorf("%s %s %s: %v", c, r, id, err)
		return "", false
	}
	return got, true
}

// tryAny makes a change to the first of ids that knows it.
func tryAny(t T, s Subject, r intake.Resource, c Change, ids []string) (string, bool) {
	t.Helper()
	for _, id := range ids {
		if got, ok := try(t, s, r, c, id); ok {
			return got, true
		}
	}
	return "", false
}

func asError(err error) (*connectors.Error, bool) {
	var e *connectors.Error
	ok := errors.As(err, &e)
	return e, ok
}
