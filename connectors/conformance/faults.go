package conformance

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/rs/zerolog"
)

// hits are the requests of a run over orders that a passing fault strikes. The
// other streams are read by the same means.
var hits = [...]int{0, 1, 2, 5}

// wireFaultIsNoSilentLoss strikes one request of a run, then all of them, in
// everything that a connector does. Each ends whole or in an error of the right
// class; and afterwards the same cursor gives the whole page.
func wireFaultIsNoSilentLoss(f wireFault) func(context.Context, T, Subject) {
	return func(ctx context.Context, t T, s Subject) {
		var log bytes.Buffer
		strike := &striker{T: t, fault: f, s: s, log: &log}
		strike.conn = connect(t, s, Setup{PageSize: 2 * smallPage, Wire: strike.tap.wire, Log: zerolog.New(&log)})
		for _, st := range strike.conn.Streams() {
			if len(s.IDs(st.Resource)) == 0 {
				continue
			}
			if f.heavy && st.Resource != intake.Orders {
				continue
			}
			if f.heavy {
				strike.passing(ctx, st, 0)
				continue
			}
			strike.lasting(ctx, st)
			strike.passingElsewhere(ctx, st)
			if st.Resource == intake.Orders {
				for _, at := range hits {
					strike.passing(ctx, st, at)
				}
			}
		}
		if !f.heavy {
			strike.probe(ctx)
		}
		for host := range strike.tap.hosts {
			if host == elsewhere {
				t.Errorf("a redirect to %s was followed", host)
			}
		}
		strike.keepsSecrets(log.String())
	}
}

// striker is a connector whose wire fails on command.
type striker struct {
	T
	fault wireFault
	s     Subject
	conn  connectors.Connector
	tap   tap
	log   *bytes.Buffer
}

// strike makes the requests that when picks meet the fault.
func (k *striker) strike(when func(n int) bool) {
	k.tap.set(func(n int, req *http.Request, next http.RoundTripper) (*http.Response, error) {
		switch {
		case req.URL.Host == elsewhere:
			return answer(req, http.StatusNotFound, http.Header{}, http.NoBody, 0), nil
		case when(n):
			return k.fault.trip(req, next, k.s.Now())
		}
		return next.RoundTrip(req)
	})
}

func (k *striker) calm() { k.tap.set(nil) }

// judge checks that the fault may end in err.
func (k *striker) judge(what string, err error) {
	k.Helper()
	checkError(k, what, err)
	if strings.Contains(err.Error(), errEndless.Error()) {
		k.Errorf("%s: %v", what, err)
	}
	class := connectors.ClassOf(err)
	if connectors.Ended(err) || !k.fault.allows(class) {
		k.Errorf("%s: class %v, want one of %v: %v", what, class, k.fault.classes, err)
	}
	if after := retryAfter(err); class == connectors.Throttled && after < k.fault.wait-time.Second {
		k.Errorf("%s: RetryAfter is %v, the shop asked for %v", what, after, k.fault.wait)
	}
	k.keepsSecrets(err.Error())
}

func (k *striker) keepsSecrets(text string) {
	k.Helper()
	for _, secret := range k.s.Secrets() {
		if secret != "" && strings.Contains(text, secret) {
			k.Errorf("a secret shows up in: %.300s", strings.ReplaceAll(text, secret, "SECRET"))
		}
	}
}

// passing lets one request of a run fail.
func (k *striker) passing(ctx context.Context, st connectors.Stream, at int) {
	k.Helper()
	k.strike(func(n int) bool { return n == at })
	r := newReader(ctx, k, k.s, k.conn, st)
	r.forgive = func(err error) bool {
		k.judge(r.what(), err)
		return true
	}
	r.run()
	nothingLost(k, k.s, r)

	k.calm()
}

// passingElsewhere lets one request of a fetch, and of a sweep, fail.
func (k *striker) passingElsewhere(ctx context.Context, st connectors.Stream) {
	k.Helper()
	r := newReader(ctx, k, k.s, k.conn, st)
	r.step()
	refs := r.refs()
	refs = refs[:min(len(refs), 4)]
	for at := range 2 {
		k.strike(func(n int) bool { return n == at })
		if recs, err := k.conn.Fetch(ctx, refs); err != nil {
			k.judge("fetch "+string(st.Resource), err)
		} else {
			k.nothingGone(st, refs, recs)
		}
		if _, lists := k.conn.(connectors.Lister); lists && st.Vanishes {
			k.strike(func(n int) bool { return n == at })
			ids, err := listed(ctx, k, k.conn, st.Resource)
			if err != nil {
				k.judge("list "+string(st.Resource), err)
			} else if missing := without(k.s.IDs(st.Resource), ids); len(missing) > 0 {
				k.Errorf("list %s ends without an error and lacks %s", st.Resource, some(missing))
			}
		}
		k.calm()
	}
}

// lasting lets every request fail, from the beginning and from mid-run on.
// Afterwards the same cursor gives the page that it gave before.
func (k *striker) lasting(ctx context.Context, st connectors.Stream) {
	k.Helper()
	r := newReader(ctx, k, k.s, k.conn, st)
	for more, at := true, 0; more && at < 2; at++ {
		begin := bytes.Clone(r.cursor)
		page := newReader(ctx, k, k.s, k.conn, st)
		page.cursor = begin
		k.strike(func(int) bool { return true })
		k.failing(ctx, page)
		k.calm()
		before := r.rows
		more = r.step()
		want := r.rows - before
		// A connector may ask for smaller pages for a while.
		for again := true; again && len(page.seen) < want; {
			again = page.step()
		}
		if missing := without(idsOf(r.last), page.present()); len(missing) > 0 {
			k.Errorf("%s: after the fault the page lacks %s", page.what(), some(missing))
		}
	}
	k.lastingFetch(ctx, st, r)
}

// failing pulls twice while every answer is broken.
func (k *striker) failing(ctx context.Context, r *reader) {
	k.Helper()
	for range 2 {
		page, err := k.conn.Pull(ctx, r.stream.Resource, bytes.Clone(r.cursor))
		switch {
		case err != nil && len(k.fault.classes) == 0:
			k.Errorf("%s: this fault is harmless: %v", r.what(), err)
		case err != nil:
			k.judge(r.what(), err)
			if len(page.Records) > 0 || len(page.Next) > 0 {
				k.Errorf("%s: a page comes with the error", r.what())
			}
		case len(k.fault.classes) > 0 && k.tap.n > 0:
			k.Errorf("%s: every answer is broken, and there is no error (%d records)", r.what(), len(page.Records))
		}
	}
}

func (k *striker) lastingFetch(ctx context.Context, st connectors.Stream, r *reader) {
	k.Helper()
	refs := r.refs()
	refs = refs[:min(len(refs), 3)]
	k.strike(func(int) bool { return true })
	recs, err := k.conn.Fetch(ctx, refs)
	switch {
	case err == nil:
		k.nothingGone(st, refs, recs)
	case len(k.fault.classes) > 0:
		k.judge("fetch "+string(st.Resource), err)
	default:
		k.Errorf("fetch %s: this fault is harmless: %v", st.Resource, err)
	}
	k.calm()
	if recs, err = k.conn.Fetch(ctx, refs); err != nil {
		k.Errorf("fetch %s, after the fault: %v", st.Resource, err)
	} else {
		k.nothingGone(st, refs, recs)
	}
}

// nothingGone checks that a fetch has not taken a fault for an absence.
func (k *striker) nothingGone(st connectors.Stream, refs []intake.Ref, recs []intake.Record) {
	k.Helper()
	if len(recs) != len(refs) {
		k.Errorf("fetch %s: %d records for %d refs", st.Resource, len(recs), len(refs))
	}
	for _, rec := range recs {
		checkRecord(k, k.s, "fetch "+string(st.Resource), st.Resource, rec)
		if rec.Gone() {
			k.Errorf("fetch %s: %s is there, and passes for gone", st.Resource, rec.Ref.ID)
		}
	}
}

// probe lets every request of a probe fail: it ends in an error or in a check
// that is not OK.
func (k *striker) probe(ctx context.Context) {
	k.Helper()
	k.strike(func(int) bool { return true })
	shop, err := k.conn.Probe(ctx)
	k.calm()
	bad := slices.ContainsFunc(shop.Checks, func(c connectors.Check) bool { return !c.OK })
	switch harmless := len(k.fault.classes) == 0; {
	case harmless && (err != nil || bad):
		k.Errorf("probe: this fault is harmless: %v %+v", err, shop.Checks)
	case !harmless && err == nil && !bad:
		k.Errorf("probe: every answer is broken, and there is neither an error nor a failed check")
	case err != nil:
		k.judge("probe", err)
	}
	if _, err := k.conn.Probe(ctx); err != nil {
		k.Errorf("probe, after the fault: %v", err)
	}
}

func retryAfter(err error) time.Duration {
	if e, ok := asError(err); ok {
		return e.RetryAfter
	}
	return 0
}

// shopFaultLosesNothing reads everything while the shop commits a fault, lets
// records change, and reads on.
func shopFaultLosesNothing(f Fault) func(context.Context, T, Subject) {
	return func(ctx context.Context, t T, s Subject) {
		setup := Setup{PageSize: smallPage}
		for _, st := range connect(t, s, setup).Streams() {
			if !misbehaves(t, s, f) {
				return
			}
			r := readAll(ctx, t, s, connect(t, s, setup), st)
			nothingLost(t, s, r)
			for _, calm := range []bool{false, true} {
				changed := map[string]string{}
				ids := s.IDs(st.Resource)
				slices.Reverse(ids) // the later change sorts before the earlier one
				for n := range 4 {
					if id, ok := tryAny(t, s, st.Resource, Edit, rotate(ids, 4*n)); ok {
						changed[id] = "edit while " + string(f)
					}
					r.conn = connect(t, s, setup)
					r.run() // within the second of the edit
					s.Advance(time.Duration(n/2) * time.Second)
				}
				if calm { // the clock is put right again, say
					s.Behave()
				}
				readOn(t, s, r, setup)
				nothingLost(t, s, r)
				upToDate(t, s, r, changed)
			}
			if f == SkewAhead || f == SkewBehind {
				continue
			}
			if !misbehaves(t, s, f) {
				return
			}
			recs := fetch(ctx, t, s, connect(t, s, setup), st, r.refs())
			s.Behave()
			for _, rec := range recs {
				if rec.Gone() {
					t.Errorf("fetch %s: %s passes for gone", st.Resource, rec.Ref.ID)
				}
			}
		}
	}
}

func misbehaves(t T, s Subject, f Fault) bool {
	t.Helper()
	if err := s.Misbehave(f); err != nil {
		t.Logf("left out, the shop cannot commit the fault %q: %v", f, err)
		return false
	}
	return true
}

// A key that was retired is Denied everywhere. Nothing is gone because of it.
func retiredKeyIsDenied(ctx context.Context, t T, s Subject) {
	conn := connect(t, s, Setup{PageSize: smallPage})
	readers := map[*reader]bool{}
	for _, st := range conn.Streams() {
		r := newReader(ctx, t, s, conn, st)
		readers[r] = r.step()
	}
	if !misbehaves(t, s, RetiredKey) {
		return
	}
	denied := func(what string, err error) {
		t.Helper()
		if err == nil || connectors.ClassOf(err) != connectors.Denied {
			t.Errorf("%s with a retired key: %v, want Denied", what, err)
			return
		}
		checkError(t, what, err)
		if e, ok := asError(err); ok && e.Fix == "" {
			t.Errorf("%s with a retired key: the error does not say what to do: %v", what, err)
		}
	}
	for r, more := range readers {
		_, err := conn.Pull(ctx, r.stream.Resource, nil)
		denied(r.what(), err)
		if more {
			_, err = conn.Pull(ctx, r.stream.Resource, r.cursor)
			denied(r.what(), err)
		}
		if refs := r.refs(); len(refs) > 0 {
			_, err = conn.Fetch(ctx, refs)
			denied("fetch "+string(r.stream.Resource), err)
		}
	}
	shop, err := conn.Probe(ctx)
	if err != nil {
		denied("probe", err)
	} else if !slices.ContainsFunc(shop.Checks, func(c connectors.Check) bool { return !c.OK }) {
		t.Errorf("probe with a retired key finds nothing wrong")
	}
	s.Behave()
	for r, more := range readers {
		if more {
			r.run()
		}
		nothingLost(t, s, r)
	}
}
