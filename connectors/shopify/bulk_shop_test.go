package shopify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"comptoir/connectors"

	"github.com/rs/zerolog"
)

// bulkShop is a shop that runs bulk operations over one result. It keeps to
// what the API says about them, and fails as it is told.
type bulkShop struct {
	sample
	begun time.Time // when operations are begun, by the shop's clock

	mu     sync.Mutex
	ops    []*bulkOp
	asked  []string // what was asked for, in order
	served int64    // bytes of results

	taken   int                                        // how often all places are still taken
	looks   int                                        // how often an operation is looked at before it ends
	refuse  []userError                                // why no operation is begun
	instead func(asked string) (*http.Response, error) // answers instead of the shop, where it answers
	say     func(op *bulkOp) map[string]any            // what an operation states besides or instead
	updated map[string]string                          // dates of orders that are still there
	cutAt   []int                                      // of each request for a result, after how many bytes it breaks
}

type bulkOp struct {
	id, query string
	looked    int
	cancelled bool
}

func newBulkShop(items ...int) *bulkShop {
	return &bulkShop{sample: sampleOf(items...), looks: 2, begun: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)}
}

// connector returns a connector to the shop, which spools into dir.
func (s *bulkShop) connector(t *testing.T, dir string) *Connector {
	t.Helper()
	cfg := NewConfig()
	cfg.URL, cfg.AccessToken, cfg.PageSize = "https://atelier.myshopify.com", "token", 1
	c, err := New(connectors.Env{Shop: "atelier", Transport: s, Now: time.Now, Log: zerolog.Nop(), Spool: dir}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *bulkShop) count(asked string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.asked {
		if a == asked {
			n++
		}
	}
	return n
}

// What a bulk shop is asked for: documents by their names, and results.
const (
	askList   = "bulk_list"
	askRun    = "bulk_run"
	askLook   = "bulk_read"
	askCancel = "bulk_cancel"
	askShop   = "shop"
	askDates  = "orders_dates"
	askFile   = "the result"
)

// operationOf is the name of a document, from its first line.
func operationOf(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ({\n", r) })
	return words[1]
}

func (s *bulkShop) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body struct {
		Query     string `json:"query"`
		Variables struct {
			ID, Query string
			IDs       []string
		} `json:"variables"`
	}
	asked := askFile
	if req.Body != nil {
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
			return nil, err
		}
		asked = operationOf(body.Query)
	}
	s.asked = append(s.asked, asked)
	if s.instead != nil {
		if res, err := s.instead(asked); res != nil || err != nil {
			return res, err
		}
	}
	switch asked {
	case askList:
		nodes := []any{}
		for _, op := range s.ops {
			nodes = append([]any{s.state(op)}, nodes...) // the newest first
		}
		return data(map[string]any{"bulkOperations": map[string]any{"nodes": nodes}}), nil
	case askRun:
		return data(map[string]any{"bulkOperationRunQuery": s.run(body.Variables.Query)}), nil
	case askLook:
		return data(map[string]any{"bulkOperation": s.look(body.Variables.ID)}), nil
	case askCancel:
		s.op(body.Variables.ID).cancelled = true
		return data(map[string]any{"bulkOperationCancel": map[string]any{"userErrors": []any{}}}), nil
	case askShop:
		return data(map[string]any{"shop": map[string]any{"currencyCode": "EUR"}}), nil
	case askFile:
		return s.serve(req)
	default:
		nodes := make([]any, len(body.Variables.IDs))
		for i, id := range body.Variables.IDs {
			if updated, there := s.updated[id]; there {
				nodes[i] = map[string]any{"id": id, "updatedAt": updated}
			}
		}
		return data(map[string]any{"nodes": nodes}), nil
	}
}

func (s *bulkShop) run(query string) map[string]any {
	said := map[string]any{"bulkOperation": nil, "userErrors": s.refuse}
	switch {
	case s.taken > 0:
		s.taken--
		said["userErrors"] = []userError{{Message: "already in progress", Code: "OPERATION_IN_PROGRESS"}}
	case len(s.refuse) == 0:
		op := &bulkOp{id: fmt.Sprintf("gid://shopify/BulkOperation/%d", 500+len(s.ops)), query: query}
		s.ops = append(s.ops, op)
		said["bulkOperation"] = s.state(op)
	}
	return said
}

func (s *bulkShop) look(id string) any {
	op := s.op(id)
	op.looked++
	if st := s.state(op); st["status"] != nil {
		return st
	}
	return nil
}

func (s *bulkShop) op(id string) *bulkOp {
	for _, op := range s.ops {
		if op.id == id {
			return op
		}
	}
	return &bulkOp{}
}

// state is what an operation states. Numbers are text, as the shop writes them.
func (s *bulkShop) state(op *bulkOp) map[string]any {
	st := map[string]any{"id": op.id, "status": "CREATED", "errorCode": nil, "createdAt": s.begun.Format(time.RFC3339), "objectCount": "0",
		"rootObjectCount": "0", "fileSize": nil, "url": nil, "query": strings.ReplaceAll(op.query, "\n", "\n  ")}
	switch {
	case op.looked > s.looks:
		st["status"], st["objectCount"], st["rootObjectCount"] = "COMPLETED", strconv.Itoa(len(s.lines)), strconv.Itoa(len(s.orders))
		if len(s.lines) > 0 {
			st["url"], st["fileSize"] = "https://files.example.com/"+op.id+"?look="+strconv.Itoa(op.looked), strconv.Itoa(len(s.file()))
		}
	case op.looked > 0:
		st["status"], st["objectCount"] = "RUNNING", strconv.Itoa(op.looked)
	}
	if s.say != nil {
		maps.Copy(st, s.say(op))
	}
	return st
}

// serve answers with the result, from the byte on that was asked for.
func (s *bulkShop) serve(req *http.Request) (*http.Response, error) {
	if req.Header.Get("X-Shopify-Access-Token") != "" {
		return nil, errors.New("the token was sent along to another host")
	}
	offset, file := 0, s.file()
	if span := req.Header.Get("Range"); span != "" {
		if _, err := fmt.Sscanf(span, "bytes=%d-", &offset); err != nil {
			return nil, err
		}
	}
	res := answered(http.StatusOK, "")
	if offset > 0 {
		res.StatusCode = http.StatusPartialContent
		res.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", offset, len(file)-1, len(file)))
	}
	piece, after := file[offset:], error(io.EOF)
	if len(s.cutAt) > 0 {
		if s.cutAt[0] < len(piece) {
			piece, after = piece[:s.cutAt[0]], errCut
		}
		s.cutAt = s.cutAt[1:]
	}
	s.served += int64(len(piece))
	res.Body = io.NopCloser(&cutReader{piece, after})
	return res, nil
}

// cutReader gives a piece and then an error.
type cutReader struct {
	piece []byte
	after error
}

func (r *cutReader) Read(p []byte) (int, error) {
	if len(r.piece) == 0 {
		return 0, r.after
	}
	n := copy(p, r.piece)
	r.piece = r.piece[n:]
	return n, nil
}

func data(said any) *http.Response {
	b, err := json.Marshal(map[string]any{"data": said})
	if err != nil {
		panic(err)
	}
	return answered(http.StatusOK, string(b))
}

func answered(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, ContentLength: -1, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}
