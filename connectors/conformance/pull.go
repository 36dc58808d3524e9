package conformance

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

func probeTellsTheFacts(ctx context.Context, t T, s Subject) {
	got, err := connect(t, s, Setup{}).Probe(ctx)
	if err != nil {
		t.Fatalf("probe: %v", err)
	}
	want := s.Facts()
	if got.Currency == "" || got.Currency != want.Currency {
		t.Errorf("currency is %q, want %q", got.Currency, want.Currency)
	}
	if got.TimeZone == "" || got.TimeZone != want.TimeZone {
		t.Errorf("time zone is %q, want %q", got.TimeZone, want.TimeZone)
	}
	if got.Platform == "" || got.URL == "" {
		t.Errorf("platform %q or URL %q is empty", got.Platform, got.URL)
	}
	if want.Version != "" && got.Version != want.Version {
		t.Errorf("version is %q, want %q", got.Version, want.Version)
	}
	if got.PricesIncludeTax != want.PricesIncludeTax {
		t.Errorf("prices include tax: %v, want %v", got.PricesIncludeTax, want.PricesIncludeTax)
	}
	if off := got.ClockOffset - want.ClockOffset; off.Abs() > 5*time.Second {
		t.Errorf("clock offset is %v, want %v", got.ClockOffset, want.ClockOffset)
	}
	if len(got.Checks) == 0 {
		t.Errorf("no checks are reported")
	}
	for _, c := range got.Checks {
		if !c.OK {
			t.Errorf("a sound shop fails check %q: %s", c.Name, c.Note)
		}
	}
}

func streamsAreDeclaredSoundly(_ context.Context, t T, s Subject) {
	conn := connect(t, s, Setup{})
	streams := conn.Streams()
	seen := map[intake.Resource]bool{}
	for _, st := range streams {
		if seen[st.Resource] {
			t.Errorf("%s is listed twice", st.Resource)
		}
		seen[st.Resource] = true
		if _, lists := conn.(connectors.Lister); st.Vanishes && !lists {
			t.Errorf("%s vanishes, and the connector is no Lister that could tell", st.Resource)
		}
	}
	order := []intake.Resource{
		intake.TaxRates, intake.Gateways, intake.ShippingMethods, intake.Locations, intake.Categories, intake.Products,
		intake.Variants, intake.Customers, intake.Coupons, intake.Orders, intake.Trash, intake.Payouts,
	}
	at := -1
	for _, st := range streams {
		i := slices.Index(order, st.Resource)
		if i < at {
			t.Errorf("%s comes after what depends on it", st.Resource)
		}
		at = max(at, i)
	}
	for _, r := range order {
		if len(s.IDs(r)) > 0 && !seen[r] {
			t.Errorf("the shop has %s and no stream serves them", r)
		}
	}
	if !seen[intake.Orders] || len(s.IDs(intake.Orders)) < 10*smallPage {
		t.Errorf("the suite needs a shop with a few dozen orders")
	}
}

func fullPullEqualsTheShop(ctx context.Context, t T, s Subject) {
	for _, size := range []int{0, 1, 2, smallPage, 7} {
		conn := connect(t, s, Setup{PageSize: size})
		for _, st := range conn.Streams() {
			r := readAll(ctx, t, s, conn, st)
			nothingLost(t, s, r)
			if extra := without(r.present(), s.IDs(st.Resource)); len(extra) > 0 {
				t.Errorf("%s, page size %d: the shop does not have %s", st.Resource, size, some(extra))
			}
		}
	}
}

func eachPageCanBeReadAgain(ctx context.Context, t T, s Subject) {
	setup := Setup{PageSize: smallPage}
	conn, other := connect(t, s, setup), connect(t, s, setup)
	for _, st := range conn.Streams() {
		r := newReader(ctx, t, s, conn, st)
		for more := true; more; {
			at := bytes.Clone(r.cursor)
			pull := func(c connectors.Connector) []string {
				p, err := c.Pull(ctx, st.Resource, bytes.Clone(at))
				if err != nil {
					t.Fatalf("%s: %v", r.what(), err)
				}
				return content(p.Records)
			}
			first := pull(conn)
			if again := pull(conn); !slices.Equal(first, again) {
				t.Fatalf("%s: read again it is %s, was %s", r.what(), some(again), some(first))
			}
			if others := pull(other); !slices.Equal(first, others) {
				t.Fatalf("%s: another connector reads %s, was %s", r.what(), some(others), some(first))
			}
			more = r.step()
		}
		nothingLost(t, s, r)
	}
}

func idsOf(recs []intake.Record) []string {
	var ids []string
	for _, rec := range recs {
		if !rec.Gone() {
			ids = append(ids, rec.Ref.ID)
		}
	}
	return ids
}

// content is ids and digests.
func content(recs []intake.Record) []string {
	var c []string
	for _, rec := range recs {
		c = append(c, rec.Ref.ID+"@"+rec.Digest)
	}
	return c
}

// A stream that says it can be asked for changes must not bring everything
// each time.
func incrementalPullBringsLessThanAll(ctx context.Context, t T, s Subject) {
	setup := Setup{PageSize: smallPage}
	for _, st := range connect(t, s, setup).Streams() {
		all := readAll(ctx, t, s, connect(t, s, setup), st)
		if st.Full || len(all.seen) == 0 {
			continue
		}
		readOn(t, s, all, setup)
		s.Advance(st.Overlap)
		next := newReader(ctx, t, s, connect(t, s, setup), st)
		next.cursor = all.cursor
		next.run()
		if len(next.seen) >= len(s.IDs(st.Resource)) {
			t.Errorf("%s: a pull after the last one brings all %d records again", st.Resource, len(next.seen))
		}
	}
}

// moving are the changes that a pull must see.
var moving = [...]Change{Add, Edit, Refund, Touch}

func incrementalPullSeesEachChange(ctx context.Context, t T, s Subject) {
	for _, size := range []int{0, smallPage} {
		setup := Setup{PageSize: size}
		for _, st := range connect(t, s, setup).Streams() {
			r := readAll(ctx, t, s, connect(t, s, setup), st)
			for n, c := range moving {
				s.Advance(time.Duration(n) * time.Minute)
				id, ok := tryAny(t, s, st.Resource, c, rotate(s.IDs(st.Resource), 5*n))
				if !ok {
					continue
				}
				was := r.seen[id]
				readOn(t, s, r, setup)
				nothingLost(t, s, r)
				upToDate(t, s, r, map[string]string{id: string(c)})
				switch now := r.seen[id]; {
				case c == Touch && now.Digest != was.Digest:
					t.Errorf("%s: moving the date of %s alone changes its digest", st.Resource, id)
				case c != Touch && now.Digest == was.Digest:
					t.Errorf("%s: %s of %s leaves the digest as it was", st.Resource, c, id)
				}
			}
		}
	}
}

// Two changes within the second of a cursor: the later one must not hide
// behind the earlier one, which was read before it.
func changesWithinOneSecondAreSeen(ctx context.Context, t T, s Subject) {
	setup := Setup{PageSize: smallPage}
	for _, st := range connect(t, s, setup).Streams() {
		for _, wait := range []time.Duration{0, time.Second} {
			r := readAll(ctx, t, s, connect(t, s, setup), st)
			changed := map[string]string{}
			ids := s.IDs(st.Resource)
			slices.Reverse(ids) // the later change sorts before the earlier one
			for n := range 4 {
				if id, ok := tryAny(t, s, st.Resource, Edit, rotate(ids, 3*n)); ok {
					changed[id] = fmt.Sprintf("edit %d of a second", n)
				}
				r.conn = connect(t, s, setup)
				r.run()
				s.Advance(wait)
			}
			readOn(t, s, r, setup)
			nothingLost(t, s, r)
			upToDate(t, s, r, changed)
		}
	}
}

func rotate(ids []string, n int) []string {
	if len(ids) == 0 {
		return nil
	}
	n %= len(ids)
	return slices.Concat(ids[n:], ids[:n])
}

// The process dies after a page and another goes on from the cursor that the
// engine has kept. Meanwhile a record changes, which may be one that was read
// already.
func readingResumesAfterEachPage(ctx context.Context, t T, s Subject) {
	const points = 4
	setup := Setup{PageSize: smallPage}
	for _, st := range connect(t, s, setup).Streams() {
		pages := readAll(ctx, t, s, connect(t, s, setup), st).pages
		for _, incremental := range []bool{false, true} {
			for n := range min(points, pages) {
				stop := n * pages / points // spread over the run
				if pages < points {
					stop = n
				}
				r := newReader(ctx, t, s, connect(t, s, setup), st)
				if incremental {
					r.run()
					s.Advance(settling)
					editSome(t, s, st.Resource, 4*smallPage)
				}
				begin := r.cursor
				more := true
				for i := 0; more && i <= stop; i++ {
					more = r.step()
					s.Advance(lull(i + n))
				}
				changed := map[string]string{}
				for _, id := range []string{anID(r.present(), n), anID(s.IDs(st.Resource), 7*n)} {
					if id, ok := try(t, s, st.Resource, Edit, id); ok {
						changed[id] = fmt.Sprintf("edit after page %d", stop+1)
					}
				}
				if more {
					r.resume(connect(t, s, setup), begin)
					r.run()
				}
				readOn(t, s, r, setup)
				nothingLost(t, s, r)
				upToDate(t, s, r, changed)
			}
		}
	}
}

// editSome edits the first n records that can be edited.
func editSome(t T, s Subject, r intake.Resource, n int) {
	t.Helper()
	for _, id := range s.IDs(r) {
		if n == 0 {
			return
		}
		if _, ok := try(t, s, r, Edit, id); ok {
			n--
		}
	}
}

// Rows that change, appear or vanish between two pages push the others about:
// in turn some that were read already and one that is still to come. Several at
// once push further than a reader that looks back at one row can see.
func changesBetweenPagesLoseNothing(ctx context.Context, t T, s Subject) {
	const most = 16
	setup := Setup{PageSize: smallPage}
	for _, st := range connect(t, s, setup).Streams() {
		for _, c := range []Change{Edit, Touch, Add, Refund, Shelve, Remove} {
			r := newReader(ctx, t, s, connect(t, s, setup), st)
			changed := map[string]string{}
			r.between = func(page int) {
				if len(changed) > most || (page > 4 && len(changed) == 0) {
					return
				}
				s.Advance(lull(page))
				here := s.IDs(st.Resource)
				left := without(here, r.present())
				ids, which, times := without(here, left), "already read", smallPage+1
				if page%2 == 0 {
					ids, which, times = left, "still to come", 1
				}
				for n := range min(times, len(ids)) {
					if id, ok := tryAny(t, s, st.Resource, c, firstFew(ids, page+n)); ok {
						changed[id] = fmt.Sprintf("%s after page %d, %s", c, page, which)
					}
				}
			}
			r.run()
			if len(changed) == 0 {
				continue
			}
			readOn(t, s, r, setup)
			nothingLost(t, s, r)
			if c != Shelve && c != Remove {
				upToDate(t, s, r, changed)
			}
		}
	}
}

// lull is the time between two events: none, a little, or more than any
// overlap.
func lull(n int) time.Duration { return []time.Duration{0, time.Second, 5 * time.Minute}[n%3] }

func firstFew(ids []string, n int) []string {
	ids = rotate(ids, n)
	return ids[:min(len(ids), 4)]
}

// A page may take several requests, and the shop lives between them. Changes
// fall at random moments; a seed that fails, fails again.
func changesBetweenRequestsLoseNothing(ctx context.Context, t T, s Subject) {
	const seeds = 4
	for seed := range uint64(seeds) {
		for _, st := range connect(t, s, Setup{}).Streams() {
			dice := rand.New(rand.NewPCG(seed, 1))
			changed := map[string]string{}
			tap := &tap{}
			setup := Setup{PageSize: 1 + dice.IntN(2*smallPage), Wire: tap.wire}
			r := newReader(ctx, t, s, connect(t, s, setup), st)
			tap.before = func(n int, _ *http.Request) {
				if len(changed) > 40 || dice.IntN(3) > 0 {
					return
				}
				s.Advance(time.Duration(dice.IntN(3)) * time.Second) // less than any time-out
				c := []Change{Edit, Edit, Touch, Add, Refund, Shelve, Remove}[dice.IntN(7)]
				for range 1 + dice.IntN(smallPage) {
					ids := s.IDs(st.Resource)
					if len(ids) < 4*smallPage && (c == Shelve || c == Remove) {
						return
					}
					if id, ok := try(t, s, st.Resource, c, anID(ids, dice.IntN(1000))); ok {
						changed[id] = fmt.Sprintf("%s before request %d, seed %d", c, n, seed)
					}
				}
			}
			r.run()
			r.run() // the next run meets changes as well
			tap.before = nil
			readOn(t, s, r, Setup{PageSize: setup.PageSize})
			nothingLost(t, s, r)
			upToDate(t, s, r, changed)
		}
	}
}

func seekStartsEarlyEnough(ctx context.Context, t T, s Subject) {
	conn := connect(t, s, Setup{PageSize: smallPage})
	seeker, ok := conn.(connectors.Seeker)
	if !ok {
		t.Logf("no Seeker")
		return
	}
	for _, st := range conn.Streams() {
		readAll(ctx, t, s, conn, st)
		s.Advance(time.Hour)
		since := s.Now()
		changed := map[string]string{}
		for n := range 3 {
			if id, ok := tryAny(t, s, st.Resource, Edit, rotate(s.IDs(st.Resource), 4*n)); ok {
				changed[id] = "edit after the instant sought"
			}
			s.Advance(time.Duration(n) * time.Second)
		}
		s.Advance(settling)
		r := newReader(ctx, t, s, conn, st)
		if r.cursor = seeker.Seek(st.Resource, since); len(r.cursor) == 0 {
			t.Errorf("%s: Seek returns an empty cursor", st.Resource)
		}
		r.run()
		for id := range changed {
			if _, ok := r.seen[id]; !ok {
				t.Errorf("%s: sought %v, the edit of %s after it is lost", st.Resource, since, id)
			}
		}
		upToDate(t, s, r, changed)
	}
}

// A cursor that was spoilt on the disk may be refused or read as another
// beginning, but it may not end the reading.
func spoiltCursorIsNoSilentLoss(ctx context.Context, t T, s Subject) {
	conn := connect(t, s, Setup{})
	for _, st := range conn.Streams() {
		for _, cursor := range []string{"\x00\xff", "{", "{}", "null", "[]", `"x"`, "0", " "} {
			r := newReader(ctx, t, s, conn, st)
			r.cursor = connectors.Cursor(cursor)
			refused := false
			for more := true; more && !refused; {
				if r.pages > mostPages {
					t.Fatalf("%s: no end after the cursor %q", r.what(), cursor)
				}
				page, err := conn.Pull(ctx, st.Resource, r.cursor)
				if err != nil {
					checkError(t, r.what(), err)
					refused = true
					continue
				}
				r.take(page)
				more = page.More
			}
			if !refused {
				nothingLost(t, s, r)
			}
		}
	}
}

func concurrentUseIsSafe(ctx context.Context, t T, s Subject) {
	conn := connect(t, s, Setup{PageSize: smallPage})
	var wg sync.WaitGroup
	var mu sync.Mutex
	fail := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		t.Errorf(format, args...)
	}
	for _, st := range conn.Streams() {
		for range 2 {
			wg.Go(func() {
				var cursor connectors.Cursor
				var refs []intake.Ref
				ids := map[string]bool{}
				for more, pages := true, 0; more; pages++ {
					page, err := conn.Pull(ctx, st.Resource, cursor)
					if err != nil || pages > mostPages {
						fail("pull %s, page %d: %v", st.Resource, pages+1, err)
						return
					}
					for _, rec := range page.Records {
						if !ids[rec.Ref.ID] {
							ids[rec.Ref.ID] = true
							refs = append(refs, rec.Ref)
						}
					}
					cursor, more = page.Next, page.More
				}
				for _, id := range s.IDs(st.Resource) {
					if !ids[id] {
						fail("pull %s: %s is lost", st.Resource, id)
					}
				}
				refs = refs[:min(len(refs), 4)]
				if recs, err := conn.Fetch(ctx, refs); err != nil || len(recs) != len(refs) {
					fail("fetch %s: %d of %d records, %v", st.Resource, len(recs), len(refs), err)
				}
			})
		}
	}
	wg.Go(func() {
		if _, err := conn.Probe(ctx); err != nil {
			fail("probe: %v", err)
		}
	})
	wg.Wait()
}

func cancellingEndsTheWork(ctx context.Context, t T, s Subject) {
	tap := &tap{}
	conn := connect(t, s, Setup{PageSize: smallPage, Wire: tap.wire})
	for _, st := range conn.Streams() {
		for at := range 2 {
			ctx, cancel := context.WithCancel(ctx)
			requests := 0
			tap.before = func(int, *http.Request) {
				if requests++; requests > at {
					cancel()
				}
			}
			var cursor connectors.Cursor
			var err error
			for more := true; more && err == nil; {
				var page connectors.Page
				page, err = conn.Pull(ctx, st.Resource, cursor)
				cursor, more = page.Next, page.More
			}
			cancel()
			if _, after := conn.Pull(ctx, st.Resource, nil); !connectors.Ended(after) {
				t.Errorf("pull %s with a context that has ended: %v", st.Resource, after)
			}
			if requests > at && err != nil && !connectors.Ended(err) {
				t.Errorf("pull %s, cancelled at request %d: %v", st.Resource, at+1, err)
			}
			tap.before = nil
			r := readAll(context.WithoutCancel(ctx), t, s, conn, st)
			nothingLost(t, s, r)
		}
	}
}
