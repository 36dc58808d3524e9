package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"
)

const (
	runBulk = `mutation($q: String!, $g: Boolean! = false) { bulkOperationRunQuery(query: $q, groupObjects: $g) {
		bulkOperation { id status } userErrors { field message code } } }`
	pollBulk = `query($id: ID!) { bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount fileSize url partialDataUrl createdAt completedAt type } }`
	books    = `{ shelves { edges { node { id books { edges { node { id title } } } } } } }`
)

type readBulk struct {
	ID, Status, ErrorCode, ObjectCount, RootObjectCount, FileSize, URL, PartialDataURL string
	CreatedAt, CompletedAt                                                             *time.Time
}

type readPayload struct {
	BulkOperation *readBulk
	UserErrors    []struct {
		Field         []string
		Message, Code string
	}
}

// startsBulk runs an operation and returns its id, or the code of the refusal.
func startsBulk(t testing.TB, s *Shop, query string, grouped bool) (id, code string) {
	t.Helper()
	var got struct{ BulkOperationRunQuery readPayload }
	a := asking(t, s, runBulk, map[string]any{"q": query, "g": grouped})
	decode(t, a.Data, &got)
	p := got.BulkOperationRunQuery
	if len(p.UserErrors) > 0 {
		return "", p.UserErrors[0].Code
	}
	return p.BulkOperation.ID, ""
}

func bulkState(t testing.TB, s *Shop, id string) readBulk {
	t.Helper()
	var got struct{ BulkOperation readBulk }
	decode(t, asking(t, s, pollBulk, map[string]any{"id": id}).Data, &got)
	return got.BulkOperation
}

// endBulk polls until an operation has ended, which on a busy machine may take
// a while.
func endBulk(t testing.TB, s *Shop, id string) (end readBulk, met []string) {
	t.Helper()
	for n := range 5000 {
		if n > 20 {
			time.Sleep(time.Millisecond)
		}
		end = bulkState(t, s, id)
		met = append(met, end.Status)
		if end.Status != "CREATED" && end.Status != "RUNNING" && end.Status != "CANCELING" {
			return end, met
		}
	}
	t.Fatalf("the operation does not end: %v", met)
	return end, met
}

func fetch(t testing.TB, s *Shop, url string, header http.Header) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	return readAll(t, s, r)
}

type bulkLine struct {
	ID, Title string
	ParentID  string `json:"__parentId"`
}

func readLines(t testing.TB, file []byte) []bulkLine {
	t.Helper()
	var all []bulkLine
	for line := range bytes.Lines(file) {
		var l bulkLine
		decode(t, line, &l)
		all = append(all, l)
	}
	return all
}

func TestBulkOperationExportsEverything(t *testing.T) {
	const n = 3_000
	s := libraryShop(Options{Seed: 5}, n)
	id, _ := startsBulk(t, s, books, false)
	end, met := endBulk(t, s, id)
	if !slices.Equal(met, []string{"RUNNING", "RUNNING", "COMPLETED"}) || end.ObjectCount != "3003" || end.RootObjectCount != "3" || end.CompletedAt == nil {
		t.Fatalf("%v %+v", met, end)
	}
	res, file, err := fetch(t, s, end.URL, nil)
	if err != nil || res.StatusCode != 200 || end.FileSize != fmt.Sprint(len(file)) {
		t.Fatalf("%d, %d bytes of %s: %v", res.StatusCode, len(file), end.FileSize, err)
	}
	lines := readLines(t, file)
	seen, early, sorted := map[string]bool{}, 0, true
	for i, l := range lines {
		if seen[l.ID] {
			t.Errorf("%s is there twice", l.ID)
		}
		if seen[l.ID] = true; l.ParentID != "" && !seen[l.ParentID] {
			early++
		}
		sorted = sorted && (i == 0 || len(lines[i-1].ID) <= len(l.ID))
	}
	if len(seen) != n+3 || early == 0 || sorted {
		t.Errorf("%d lines, %d children before their parent, in order: %v", len(seen), early, sorted)
	}
	res, part, err := fetch(t, s, end.URL, http.Header{"Range": {fmt.Sprintf("bytes=%d-", len(file)-100)}})
	if err != nil || res.StatusCode != 206 || !bytes.Equal(part, file[len(file)-100:]) {
		t.Errorf("the last hundred bytes: %d, %d bytes, %v", res.StatusCode, len(part), err)
	}
	if res, _, _ := fetch(t, s, end.URL, http.Header{"X-Shopify-Access-Token": {s.Key()}}); res.StatusCode != 400 {
		t.Errorf("a token given away is answered %d", res.StatusCode)
	}
	if res, _, _ := fetch(t, s, end.URL+"x", nil); res.StatusCode != 404 {
		t.Errorf("a wrong address is answered %d", res.StatusCode)
	}
	s.Advance(8 * 24 * time.Hour)
	bulkState(t, s, id)
	if res, _, _ := fetch(t, s, end.URL, nil); res.StatusCode != 400 || s.shopify.bulk.all[0].file != nil {
		t.Errorf("an address of last week is answered %d", res.StatusCode)
	}
	again, _ := startsBulk(t, libraryShop(Options{Seed: 5}, n), books, false)
	if again != id {
		t.Errorf("ids differ from shop to shop: %s, %s", id, again)
	}
}

func TestGroupedLinesFollowTheirParent(t *testing.T) {
	s := libraryShop(Options{Seed: 5}, 100)
	id, _ := startsBulk(t, s, books, true)
	end, _ := endBulk(t, s, id)
	_, file, _ := fetch(t, s, end.URL, nil)
	parent := ""
	for _, l := range readLines(t, file) {
		if l.ParentID == "" {
			parent = l.ID
		} else if l.ParentID != parent {
			t.Fatalf("%s of %s stands under %s", l.ID, l.ParentID, parent)
		}
	}
}

func TestEmptyResultHasNoAddress(t *testing.T) {
	s := libraryShop(Options{Seed: 5}, 0)
	id, _ := startsBulk(t, s, `{ stack { nodes { id } } }`, false)
	if end, _ := endBulk(t, s, id); end.Status != "COMPLETED" || end.URL != "" || end.ObjectCount != "0" {
		t.Errorf("%+v", end)
	}
}

func TestBulkOperationsAreRefused(t *testing.T) {
	s := libraryShop(Options{Seed: 5}, 10)
	for query, want := range map[string]string{
		`{ shelf { id } }`:                                                     "INVALID",
		`{ node(id: "x") { id } }`:                                             "INVALID",
		`{ shelves { nodes { id } } stack { nodes { id } } }`:                  "INVALID",
		`{ shelf { list { marks { nodes { text } } } } }`:                      "INVALID",
		`mutation { bulkOperationCancel(id: "x") { userErrors { message } } }`: "INVALID",
		`{ shelves { nodes { colour } } }`:                                     "INVALID",
		`{ shelves { nodes { id a: books { nodes { id } } b: books { nodes { id } } c: books { nodes { id } } d: books { nodes { id } } e: books { nodes { id } } } } }`: "INVALID",
		`{ shelves { nodes { id books { nodes { id marks { nodes { text } } } } } } }`:                                                                                   "",
	} {
		if _, code := startsBulk(t, s, query, false); code != want {
			t.Errorf("%s: %q", query, code)
		}
	}
	for range bulkSlots - 1 {
		startsBulk(t, s, books, false)
	}
	if _, code := startsBulk(t, s, books, false); code != "LIMIT_REACHED" {
		t.Errorf("a sixth operation: %q", code)
	}
	var got struct {
		BulkOperations struct{ Nodes []readBulk }
	}
	decode(t, asking(t, s, `{ bulkOperations(first: 10, query: "status:running") { nodes { id status } } }`, nil).Data, &got)
	if all := got.BulkOperations.Nodes; len(all) != bulkSlots || all[0].ID != "gid://shopify/BulkOperation/5" {
		t.Errorf("listed: %+v", all)
	}
}

func TestCancelledOperationEndsWithoutAFile(t *testing.T) {
	s := libraryShop(Options{Seed: 5}, 10)
	id, _ := startsBulk(t, s, books, false)
	var got struct{ BulkOperationCancel readPayload }
	const cancel = `mutation($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { id status } userErrors { field message } } }`
	decode(t, asking(t, s, cancel, map[string]any{"id": id}).Data, &got)
	if got.BulkOperationCancel.BulkOperation.Status != "CANCELING" {
		t.Errorf("%+v", got)
	}
	if end, _ := endBulk(t, s, id); end.Status != "CANCELED" || end.URL != "" {
		t.Errorf("%+v", end)
	}
	decode(t, asking(t, s, cancel, map[string]any{"id": id}).Data, &got)
	if len(got.BulkOperationCancel.UserErrors) == 0 {
		t.Error("a cancelled operation is cancelled again")
	}
}

func TestBulkOperationsMisbehave(t *testing.T) {
	s := libraryShop(Options{Seed: 5}, 500)
	run := func(fault string) (readBulk, []string) {
		f, err := ParseFault(fault)
		if err != nil {
			t.Fatal(err)
		}
		s.Misbehave(f)
		defer s.Behave()
		id, code := startsBulk(t, s, books, false)
		if code != "" {
			return readBulk{ErrorCode: code}, nil
		}
		return endBulk(t, s, id)
	}
	end, _ := run("bulk-failed")
	_, half, err := fetch(t, s, end.PartialDataURL, nil)
	if n := len(readLines(t, half)); end.Status != "FAILED" || end.ErrorCode != "INTERNAL_SERVER_ERROR" || end.URL != "" || err != nil || n < 200 || n > 300 {
		t.Errorf("failed: %+v, %d lines, %v", end, n, err)
	}
	if end, _ = run("bulk-expired"); end.Status != "EXPIRED" || end.URL != "" {
		t.Errorf("expired: %+v", end)
	}
	if end, _ = run("denied"); end.Status != "COMPLETED" {
		t.Errorf("denied, where nothing is personal: %+v", end)
	}
	if end, _ = run("bulk-full"); end.ErrorCode != "LIMIT_REACHED" {
		t.Errorf("full: %+v", end)
	}
	if _, met := run("bulk-stuck:count=4"); len(met) != 6 {
		t.Errorf("stuck: %v", met)
	}
	end, _ = run("bulk-short")
	_, file, _ := fetch(t, s, end.URL, nil)
	if n := len(readLines(t, file)); end.ObjectCount != "503" || n != 453 {
		t.Errorf("short: %d lines of %s", n, end.ObjectCount)
	}
	end, _ = run("503:count=1:path=/nothing")
	s.Misbehave(Fault{Name: "bulk-cut", Count: 1})
	_, cut, err := fetch(t, s, end.URL, nil)
	_, file, _ = fetch(t, s, end.URL, nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(cut) == 0 || len(cut) != len(file)/2 {
		t.Errorf("cut: %d bytes of %d, %v", len(cut), len(file), err)
	}
	_, rest, err := fetch(t, s, end.URL, http.Header{"Range": {fmt.Sprintf("bytes=%d-", len(cut))}})
	if err != nil || !bytes.Equal(append(cut, rest...), file) {
		t.Errorf("resumed: %v", err)
	}
}

// What an app may not read, it may not export.
func TestBulkOperationWithoutTheRightFails(t *testing.T) {
	s := libraryShop(Options{Seed: 5, Scopes: []string{"write_products"}}, 10)
	s.shopify.plans.guards = func(_ *gqlType, field string) *gqlGuard {
		if field == "title" {
			return &gqlGuard{denied: "read_titles"}
		}
		return nil
	}
	id, _ := startsBulk(t, s, books, false)
	if end, _ := endBulk(t, s, id); end.Status != "FAILED" || end.ErrorCode != "ACCESS_DENIED" {
		t.Errorf("%+v", end)
	}
	shop := New(Options{Seed: 5, Orders: 20, Platform: Shopify})
	shop.Misbehave(Fault{Name: "denied"})
	id, _ = startsBulk(t, shop, `{ orders { edges { node { id email } } } }`, false)
	if end, _ := endBulk(t, shop, id); end.Status != "FAILED" || end.ErrorCode != "ACCESS_DENIED" {
		t.Errorf("protected customer data: %+v", end)
	}
	if a := asking(t, s, `{ shelf { id list { title } } }`, nil); len(a.codes()) != 5 || a.codes()[0] != "ACCESS_DENIED" ||
		fmt.Sprint(a.Errors[1].Path) != "[shelf list 1 title]" || !json.Valid(a.Data) {
		t.Errorf("%+v %s", a.Errors, a.Data)
	}
}
