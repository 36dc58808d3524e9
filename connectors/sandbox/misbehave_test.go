package sandbox

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/erp/intake"
)

func TestFaultsAreReadFromText(t *testing.T) {
	got, err := ParseFault("429:count=3:retry-after=2:path=/orders:after=1:chance=0.5:delay=1500ms:skew=-24h")
	want := Fault{Name: "429", Path: "/orders", After: 1, Count: 3, Chance: 0.5, RetryAfter: 2 * time.Second, Delay: 1500 * time.Millisecond, Skew: -24 * time.Hour}
	if err != nil || got != want {
		t.Errorf("read %+v, %v", got, err)
	}
	for _, bad := range []string{"", "418", "429:count=x", "429:count=-1", "429:chance=2", "429:colour=red", "slow:delay=soon"} {
		if _, err := ParseFault(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	for _, n := range FaultNames() {
		if _, err := ParseFault(n.Name); err != nil || n.Help == "" {
			t.Errorf("%s: %v", n.Name, err)
		}
	}
}

// Each fault looks to a client as it would on the network.
func TestFaultsSpoilAnswers(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 120, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }})
	_, good := do(t, s, request(t, s, "orders"))
	for _, c := range []struct {
		fault string
		check func(res *http.Response, body []byte, err error) bool
	}{
		{"429:retry-after=2", func(res *http.Response, _ []byte, _ error) bool {
			return res.StatusCode == 429 && res.Header.Get("Retry-After") == "2"
		}},
		{"429", func(res *http.Response, _ []byte, _ error) bool {
			return res.StatusCode == 429 && res.Header.Get("Retry-After") == ""
		}},
		{"403", func(res *http.Response, body []byte, _ error) bool { return res.StatusCode == 403 && isHTML(body) }},
		{"500", func(res *http.Response, body []byte, _ error) bool { return res.StatusCode == 500 && isHTML(body) }},
		{"502", func(res *http.Response, body []byte, _ error) bool { return res.StatusCode == 502 && isHTML(body) }},
		{"503:retry-after=90", func(res *http.Response, body []byte, _ error) bool {
			return res.StatusCode == 503 && res.Header.Get("Retry-After") == "90"
		}},
		{"html", func(res *http.Response, body []byte, _ error) bool { return res.StatusCode == 200 && isHTML(body) }},
		{"retired-key", func(res *http.Response, body []byte, _ error) bool {
			return res.StatusCode == 401 && bytes.Contains(body, []byte("cannot_view"))
		}},
		{"redirect", func(res *http.Response, _ []byte, _ error) bool {
			return res.StatusCode == 301 && strings.Contains(res.Header.Get("Location"), "elsewhere")
		}},
		{"cut", func(res *http.Response, body []byte, err error) bool {
			return errors.Is(err, io.ErrUnexpectedEOF) && bytes.HasPrefix(good, body) && len(body) < len(good)
		}},
		{"notice", func(res *http.Response, body []byte, _ error) bool {
			return res.StatusCode == 200 && bytes.HasPrefix(body, []byte("<br />")) && bytes.HasSuffix(body, good)
		}},
		{"bom", func(_ *http.Response, body []byte, _ error) bool {
			return bytes.HasPrefix(body, []byte("\xef\xbb\xbf")) && bytes.HasSuffix(body, good)
		}},
		{"gzip", func(res *http.Response, body []byte, _ error) bool {
			z, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil || res.Header.Get("Content-Encoding") != "" {
				return false
			}
			plain, err := io.ReadAll(z)
			return err == nil && bytes.Equal(plain, good)
		}},
		{"duplicate", func(_ *http.Response, body []byte, _ error) bool {
			rows := rowIDs(body)
			return len(rows) == 11 && rows[0] == rows[10]
		}},
		{"reorder", func(_ *http.Response, body []byte, _ error) bool {
			rows := rowIDs(body)
			slices.Reverse(rows)
			return slices.Equal(rows, rowIDs(good)) && len(rows) == 10
		}},
		{"skew:skew=-24h", func(res *http.Response, body []byte, _ error) bool {
			at, err := http.ParseTime(res.Header.Get("Date"))
			return err == nil && at.Unix() == 1_800_000_000-86400 && bytes.Equal(body, good)
		}},
	} {
		f, err := ParseFault(c.fault)
		if err != nil {
			t.Fatal(err)
		}
		s.Misbehave(f)
		res, err := s.Transport().RoundTrip(request(t, s, "orders"))
		if err != nil {
			t.Fatalf("%s: %v", c.fault, err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if !c.check(res, body, err) {
			t.Errorf("%s: %d %v %v %.300s", c.fault, res.StatusCode, res.Header, err, body)
		}
		s.Behave()
	}
	if _, body := do(t, s, request(t, s, "orders")); !bytes.Equal(body, good) {
		t.Error("the shop does not behave again")
	}
}

func isHTML(body []byte) bool { return bytes.HasPrefix(body, []byte("<!DOCTYPE html>")) }

func rowIDs(body []byte) []int64 {
	var rows []brief
	if json.Unmarshal(body, &rows) != nil {
		return nil
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids
}

func TestFaultsStrikeWhereAndAsOftenAsTold(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 20})
	s.Misbehave(Fault{Name: "500", Path: "/orders", After: 1, Count: 2})
	var got []int
	for _, path := range []string{"orders", "products", "orders", "orders", "products", "orders"} {
		res, _ := do(t, s, request(t, s, path))
		got = append(got, res.StatusCode)
	}
	if want := []int{200, 200, 500, 500, 200, 200}; !slices.Equal(got, want) {
		t.Errorf("answered %v, want %v", got, want)
	}
	if s.Hits()["500"] != 2 || s.Requests() != 6 || s.Paths()["/wc/v3/orders"] != 4 {
		t.Errorf("hits %v, requests %d, paths %v", s.Hits(), s.Requests(), s.Paths())
	}
	s.Misbehave(Fault{Name: "502", Chance: 0.5})
	struck := 0
	for range 200 {
		if res, _ := do(t, s, request(t, s, "taxes")); res.StatusCode == 502 {
			struck++
		}
	}
	if struck < 60 || struck > 140 {
		t.Errorf("a chance of one half struck %d times in 200", struck)
	}
}

// Under drift, reading pages sorted by change loses rows, and by id it does
// not.
func TestDriftMovesRowsBetweenPages(t *testing.T) {
	for _, by := range []string{"modified", "id"} {
		s := New(Options{Seed: 1, Orders: 100})
		s.Misbehave(Fault{Name: "drift"})
		seen := map[string]bool{}
		for page := 1; page <= 12; page++ {
			for _, r := range readList(t, s, "orders?per_page=10&order=asc&orderby="+by+"&page="+text(int64(page))) {
				seen[text(r.ID)] = true
			}
		}
		if lost := len(s.IDs(intake.Orders)) - len(seen); (lost > 0) != (by == "modified") {
			t.Errorf("by %s %d orders are lost", by, lost)
		}
	}
}

// Time in a bubble is virtual, so that what takes hours takes none.
func TestSlowAnswersTakeVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Seed: 1, Orders: 150})
		client := &http.Client{Transport: s.Transport(), Timeout: time.Hour}
		took := func(path string) (time.Duration, error) {
			start := time.Now()
			res, err := client.Do(request(t, s, path))
			if err != nil {
				return time.Since(start), err
			}
			defer res.Body.Close()
			_, err = io.Copy(io.Discard, res.Body)
			return time.Since(start), err
		}
		s.Pace(700 * time.Millisecond)
		for path, want := range map[string]time.Duration{"orders?per_page=100": 700 * time.Millisecond, "orders?per_page=10": 70 * time.Millisecond, "products": 0} {
			if got, err := took(path); got != want || err != nil {
				t.Errorf("%s took %s, want %s (%v)", path, got, want, err)
			}
		}
		var wg sync.WaitGroup
		start := time.Now()
		for range 4 {
			wg.Go(func() { took("orders?per_page=100") })
		}
		wg.Wait()
		if got := time.Since(start); got != 2800*time.Millisecond {
			t.Errorf("four pages at once took %s: the shop serves one at a time", got)
		}
		s.Pace(0)
		for fault, want := range map[string]time.Duration{"slow:delay=10m": 10 * time.Minute, "late:delay=5m": 5 * time.Minute} {
			f, _ := ParseFault(fault)
			s.Misbehave(f)
			if got, err := took("orders"); got != want || err != nil {
				t.Errorf("%s took %s (%v)", fault, got, err)
			}
			s.Behave()
		}
		s.Misbehave(Fault{Name: "hang"})
		if got, err := took("orders"); got != time.Hour || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("hang took %s: %v", got, err)
		}
	})
}

func TestEndlessBodyGoesOnUntilTheClientEnds(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 5})
	s.Misbehave(Fault{Name: "endless"})
	res, err := s.Transport().RoundTrip(request(t, s, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.CopyN(io.Discard, res.Body, 20<<20)
	res.Body.Close()
	if n != 20<<20 || err != nil {
		t.Errorf("the body ended after %d bytes: %v", n, err)
	}
}

// Over a socket a cut body looks like one to the standard client.
func TestCutOverASocket(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 50, BasicOverHTTP: true})
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	s.Misbehave(Fault{Name: "cut"})
	r := mustGet(t, server.URL+"/wp-json/wc/v3/orders?per_page=50")
	r.SetBasicAuth(s.Key(), s.Secret())
	res, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("reading ends with %v", err)
	}
}

// The shop may live, be changed and be read at the same time.
func TestLifeAndRequestsAtTheSameTime(t *testing.T) {
	s := New(Options{Seed: 1, Orders: 100})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 15 {
				do(t, s, request(t, s, "orders?per_page=50&orderby=modified"))
				do(t, s, request(t, s, "products?per_page=50"))
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			s.Advance(time.Hour)
			s.EditOrder("")
			s.IDs(intake.Orders)
			s.Planted()
		}
	})
	wg.Wait()
}
