package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// door is what stands between the shop and the network: counts, faults, pace.
type door struct {
	lock   sync.Mutex
	served int64
	paths  map[string]int64
	calls  map[string]int
	faults []*activeFault
	nonces map[string]int64 // when each was signed
	chance *dice
	pace   time.Duration
	till   chan struct{} // holds one token: the shop serves one page at a time
	spare  sync.Pool
}

func (d *door) open(s *Shop) {
	d.paths, d.calls, d.nonces = map[string]int64{}, map[string]int{}, map[string]int64{}
	d.chance = s.dice(dieFault, 0)
	d.till = make(chan struct{}, 1)
	d.till <- struct{}{}
}

// speech reads a request in a platform's dialect.
type speech func(r *http.Request) spoken

// spoken is a request that was understood.
type spoken struct {
	path   string   // that counts and faults go by
	calls  []string // what it may change, as Calls names it; none: it only reads
	answer func(hits) *reply
}

// Handler returns the shop's site: the WooCommerce REST API under
// /wp-json/wc/v3/ and ?rest_route=, and a home page; or Shopify's GraphQL Admin
// API under /admin/api/.
func (s *Shop) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Requests returns how many requests the shop was asked to serve.
func (s *Shop) Requests() int64 {
	s.door.lock.Lock()
	defer s.door.lock.Unlock()
	return s.door.served
}

// Paths returns how many requests came for each API path; ids are written as
// {id}: "/wc/v3/orders/{id}".
func (s *Shop) Paths() map[string]int64 {
	s.door.lock.Lock()
	defer s.door.lock.Unlock()
	return maps.Clone(s.door.paths)
}

// Pace makes each page of 100 orders take d, and smaller ones less in
// proportion, one after the other: a real shop was measured at 0.7 s, and
// asking it in parallel gained nothing. Zero ends it.
func (s *Shop) Pace(d time.Duration) {
	s.door.lock.Lock()
	defer s.door.lock.Unlock()
	s.door.pace = d
}

func (d *door) count(said spoken) {
	d.lock.Lock()
	defer d.lock.Unlock()
	d.served++
	d.paths[withoutIDs(said.path)]++
	for _, call := range said.calls {
		d.calls[call]++
	}
}

// withoutIDs writes ids in a path as {id}.
func withoutIDs(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if isID(p) {
			parts[i] = "{id}"
		}
	}
	return strings.Join(parts, "/")
}

// date is what the shop's server takes for the time. A reader of a Shopify shop
// asks for what has changed until then, so it is the time in which the shop
// lives: what happens later must not be dated earlier.
func (s *Shop) date() time.Time {
	if s.opt.Platform == Shopify {
		return s.Clock()
	}
	return s.opt.Now()
}

func (s *Shop) serve(w http.ResponseWriter, r *http.Request) {
	said := s.speak(r)
	s.door.count(said)
	h := s.door.strike(said.path, len(said.calls) > 0)
	w.Header().Set("Date", s.date().Add(h.skew).UTC().Format(http.TimeFormat))
	w.Header().Set("Server", "sandbox")
	if h.late > 0 && !sleep(r.Context(), h.late) {
		return
	}
	if h.instead != nil {
		switch h.instead.Name {
		case "hang":
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case "endless":
			endless(w, r)
			return
		}
		if a := h.instead.substitute(s, r); a != nil {
			send(w, a)
			return
		}
	}
	a := said.answer(h)
	defer s.door.reuse(a.body)
	if h.unheard != nil {
		if h.unheard.Name == "answer-hang" {
			<-r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	}
	if !s.door.wait(r.Context(), a.rows) {
		return
	}
	if a.file != nil {
		sendFile(w, r, a, h.body)
		return
	}
	a.body = h.spoil(a.body)
	switch {
	case h.body == nil:
		send(w, a)
	case h.body.Name == "cut", h.body.Name == "bulk-cut":
		cutShort(w, a)
	default:
		drip(w, r, a, h.body.wait())
	}
}

// wait takes the time that so many orders take, one request at a time.
func (d *door) wait(ctx context.Context, rows int) bool {
	d.lock.Lock()
	pace := d.pace
	d.lock.Unlock()
	if pace == 0 || rows == 0 {
		return true
	}
	select {
	case <-d.till:
	case <-ctx.Done():
		return false
	}
	defer func() { d.till <- struct{}{} }()
	return sleep(ctx, pace*time.Duration(rows)/100)
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func head(w http.ResponseWriter, a *reply) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
}

// send writes a whole answer. A client that hangs up gets nothing more.
func send(w http.ResponseWriter, a *reply) {
	head(w, a)
	w.Write(a.body)
}

// cutShort announces the whole body, sends half of it, and drops the
// connection.
func cutShort(w http.ResponseWriter, a *reply) {
	head(w, a)
	w.Write(a.body[:len(a.body)/2])
	http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// sendFile writes a file, or the range of it that is asked for; under a fault
// only half of that.
func sendFile(w http.ResponseWriter, r *http.Request, a *reply, fault *Fault) {
	maps.Copy(w.Header(), a.header)
	if fault != nil {
		w = &breaksOff{ResponseWriter: w, left: -1}
	}
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(a.file, 0, a.size))
}

// breaksOff drops the connection after half of what it announced.
type breaksOff struct {
	http.ResponseWriter
	left int64 // -1: nothing was announced yet
}

func (b *breaksOff) Write(p []byte) (int, error) {
	if b.left < 0 {
		length, err := strconv.ParseInt(b.Header().Get("Content-Length"), 10, 64)
		if err != nil {
			return 0, err
		}
		b.left = length / 2
	}
	n, err := b.ResponseWriter.Write(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err == nil && b.left == 0 {
		http.NewResponseController(b.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// drip sends the body in ten pieces over a time.
func drip(w http.ResponseWriter, r *http.Request, a *reply, over time.Duration) {
	head(w, a)
	const pieces = 10
	for i := range pieces {
		if !sleep(r.Context(), over/pieces) {
			panic(http.ErrAbortHandler)
		}
		w.Write(a.body[len(a.body)*i/pieces : len(a.body)*(i+1)/pieces])
		http.NewResponseController(w).Flush()
	}
}

// endless writes a list that goes on until the client has had enough.
func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(http.StatusOK)
	io.WriteString(w, "[")
	chunk := bytes.Repeat([]byte(`{"id":1,"customer_note":"encore et encore"},`), 1500)
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// buffer returns room for an answer, used again after it was sent.
func (d *door) buffer() []byte {
	if b, ok := d.spare.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, 64<<10)
}

func (d *door) reuse(b []byte) {
	if cap(b) >= 64<<10 {
		d.spare.Put(&b)
	}
}

// Transport returns a transport that serves the handler in memory: no socket,
// so that it works inside a testing/synctest bubble. It serves every host;
// https counts as TLS.
func (s *Shop) Transport() http.RoundTripper { return memory{s.Handler()} }

type memory struct{ handler http.Handler }

// RoundTrip runs the handler beside the caller, who reads the body as it is
// written.
func (m memory) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	in := req.Clone(ctx)
	in.RequestURI = req.URL.RequestURI()
	in.RemoteAddr = "192.0.2.1:1"
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if req.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{HandshakeComplete: true}
	}
	read, write := io.Pipe()
	w := &memoryWriter{header: http.Header{}, pipe: write, ready: make(chan struct{})}
	go func() {
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				if p != http.ErrAbortHandler {
					panic(p)
				}
				w.fail(io.ErrUnexpectedEOF)
				return
			}
			w.WriteHeader(http.StatusOK)
			write.Close()
		}()
		m.handler.ServeHTTP(w, in)
	}()
	select {
	case <-w.ready:
	case <-ctx.Done():
		select {
		case <-w.ready: // it ended as it answered
		default:
			if err := req.Context().Err(); err != nil {
				read.CloseWithError(err)
				return nil, err
			}
			<-w.ready
		}
	}
	if w.err != nil {
		return nil, w.err
	}
	// Like a line, it ends with the request, though nobody may have closed it.
	stop := context.AfterFunc(req.Context(), func() { read.CloseWithError(req.Context().Err()) })
	length, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64)
	if err != nil {
		length = -1
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.sent, ContentLength: length, Request: req,
		Body: &memoryBody{read, func() { stop(); cancel() }},
	}, nil
}

// memoryWriter is the handler's side of an answer in memory.
type memoryWriter struct {
	header, sent http.Header
	status       int
	err          error // the handler gave up before it answered
	pipe         *io.PipeWriter
	ready        chan struct{}
	once         sync.Once
}

func (w *memoryWriter) Header() http.Header { return w.header }

func (w *memoryWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.ready)
	})
}

func (w *memoryWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(b)
}

// Flush does nothing: what is written is read at once.
func (w *memoryWriter) Flush() {}

func (w *memoryWriter) fail(err error) {
	w.once.Do(func() {
		w.err = err
		close(w.ready)
	})
	w.pipe.CloseWithError(err)
}

// memoryBody ends the handler when the client closes it.
type memoryBody struct {
	*io.PipeReader
	end func()
}

func (b *memoryBody) Close() error {
	b.end()
	return b.PipeReader.Close()
}
