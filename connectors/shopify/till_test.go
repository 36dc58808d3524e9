package shopify

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"comptoir/connectors"

	"github.com/rs/zerolog"
)

// till is a shop that counts points as Shopify does, in memory, so that the
// tests run in virtual time.
type till struct {
	most, rate float64 // points, and points a second
	requested  float64 // what a request must find; by the document's name in costs, where it has an own
	actual     float64 // what it takes in the end; 0: requested
	costs      map[string]float64
	latency    time.Duration
	// says answers in place of the shop, where it returns an answer.
	says func(n int, req *http.Request) *http.Response

	mu        sync.Mutex
	level     float64
	at        time.Time
	asked     int
	served    int
	throttled int
	busy, top int // requests being answered: now, and at most
}

func newTill(most, rate, requested float64) *till {
	return &till{most: most, rate: rate, requested: requested, level: most, at: time.Now(), latency: 200 * time.Millisecond}
}

// spend takes points out on behalf of somebody else.
func (s *till) spend(points float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restore()
	s.level = max(s.level-points, 0)
}

func (s *till) restore() {
	s.level = min(s.level+s.rate*time.Since(s.at).Seconds(), s.most)
	s.at = time.Now()
}

func (s *till) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked++
	n := s.asked
	s.mu.Unlock()
	if s.says != nil {
		if res := s.says(n, req); res != nil {
			return res, nil
		}
	}
	cost := s.cost(req)
	s.mu.Lock()
	s.restore()
	if s.level < cost {
		s.throttled++
		defer s.mu.Unlock()
		return tells(req, 200, `{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}],"extensions":`+s.extensions(cost, "null")+`}`), nil
	}
	actual := cost
	if s.actual > 0 {
		actual = s.actual
	}
	s.level -= cost
	s.busy++
	s.top = max(s.top, s.busy)
	s.mu.Unlock()
	time.Sleep(s.latency)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restore()
	s.busy--
	s.served++
	s.level = min(s.level+cost-actual, s.most)
	return tells(req, 200, `{"data":{"ok":true},"extensions":`+s.extensions(cost, fmt.Sprint(actual))+`}`), nil
}

func (s *till) cost(req *http.Request) float64 {
	body, _ := io.ReadAll(req.Body)
	var asked struct{ Query string }
	_ = json.Unmarshal(body, &asked)
	if own, ok := s.costs[asked.Query]; ok {
		return own
	}
	return s.requested
}

func (s *till) extensions(cost float64, actual string) string {
	return fmt.Sprintf(`{"cost":{"requestedQueryCost":%v,"actualQueryCost":%s,"throttleStatus":{"maximumAvailable":%v,"currentlyAvailable":%d,"restoreRate":%v}}}`,
		cost, actual, s.most, int(s.level), s.rate)
}

// tells is an answer.
func tells(req *http.Request, status int, body string, header ...string) *http.Response {
	h := http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req}
}

// clientOf returns a client of a shop that is transport.
func clientOf(transport http.RoundTripper, change func(*Config, *connectors.Env)) *client {
	cfg := NewConfig()
	cfg.URL, cfg.AccessToken = "https://atelier.myshopify.com", "shpat_secret"
	env := connectors.Env{Shop: "atelier", Transport: transport, Now: time.Now, Log: zerolog.Nop()}
	if change != nil {
		change(cfg, &env)
	}
	return newClient(env, *cfg)
}

// asks is a document that a till takes.
func asks(name string) document { return document{name, name} }

// crew asks n questions each by so many workers, and returns when each worker
// had its last answer.
func crew(t *testing.T, c *client, workers, n int, doc document) []time.Time {
	t.Helper()
	ends := make([]time.Time, workers)
	var wait sync.WaitGroup
	for i := range workers {
		wait.Go(func() {
			for range n {
				var out struct{ OK bool }
				if _, err := c.do(t.Context(), "ask", doc, nil, &out); err != nil || !out.OK {
					t.Errorf("worker %d: %v %v", i, out, err)
					return
				}
			}
			ends[i] = time.Now()
		})
	}
	wait.Wait()
	return ends
}
