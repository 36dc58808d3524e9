package hooks_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"comptoir/cmd/internal/hooks"
	"comptoir/connectors"
	"comptoir/erp/intake"
	"comptoir/syncstate"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// signer is a shop whose deliveries name one order and are signed as both
// platforms do it.
type signer struct{ secret string }

func (s signer) sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(s.secret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (s signer) Hint(header http.Header, body []byte) (connectors.Hint, error) {
	if string(body) == "webhook_id=1" {
		return connectors.Hint{}, nil
	}
	if !hmac.Equal([]byte(header.Get("Signature")), []byte(s.sign(body))) {
		return connectors.Hint{}, connectors.ErrSignature
	}
	if header.Get("Shop") != "" {
		return connectors.Hint{}, connectors.ErrForeign
	}
	var said struct{ ID int }
	if err := json.Unmarshal(body, &said); err != nil {
		return connectors.Hint{}, fmt.Errorf("%w: %v", connectors.ErrUnreadable, err)
	}
	sum := sha256.Sum256(body)
	return connectors.Hint{Key: string(sum[:]), Refs: []intake.Ref{{Kind: intake.KindOrder, ID: strconv.Itoa(said.ID)}}}, nil
}

func (signer) Subscribe(context.Context, string) ([]connectors.Subscription, error) { return nil, nil }

var atelier = signer{"a secret"}

// desk is a receiver over a real inbox, behind a real server.
type desk struct {
	t        testing.TB
	hinter   connectors.Hinter // of the one shop there is
	receiver *hooks.Receiver
	state    *syncstate.Bolt
	server   *httptest.Server
	client   *http.Client
	log      bytes.Buffer
	now      time.Time
}

func newDesk(t testing.TB, o hooks.Options) *desk {
	t.Helper()
	d := &desk{t: t, hinter: atelier, now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	var err error
	if d.state, err = syncstate.Open(filepath.Join(t.TempDir(), "sync.bolt"), syncstate.Options{}); err != nil {
		t.Fatal(err)
	}
	o.Now, o.Log = func() time.Time { return d.now }, zerolog.New(&d.log)
	o.Hinter = func(shop string) (connectors.Hinter, bool) { return d.hinter, shop == "atelier" }
	if o.Take == nil {
		o.Take = d.take
	}
	d.receiver = hooks.New(o)
	d.server = httptest.NewServer(d.receiver)
	d.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	t.Cleanup(func() {
		d.client.CloseIdleConnections()
		d.server.Close()
		if err := d.state.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *desk) take(shop string, h connectors.Hint) (bool, error) {
	in := syncstate.Delivery{Shop: shop, Key: h.Key, At: d.now}
	for _, ref := range h.Refs {
		in.Records = append(in.Records, syncstate.Pointer{Kind: string(ref.Kind), ID: ref.ID, Resource: "orders"})
	}
	return d.state.TakeIn(in, syncstate.InboxLimits{})
}

// waiting counts the records in the inbox.
func (d *desk) waiting() int {
	d.t.Helper()
	st, err := d.state.InboxStats("atelier")
	if err != nil {
		d.t.Fatal(err)
	}
	return st.Records
}

// post sends a delivery, and returns the answer's status.
func (d *desk) post(path string, body io.Reader, header ...string) int {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.server.URL+path, body)
	if err != nil {
		d.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	answer, err := d.client.Do(req)
	if err != nil {
		d.t.Error(err)
		return 0
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.StatusCode
}

// signed sends a delivery with its right signature.
func (d *desk) signed(body string) int {
	d.t.Helper()
	return d.post("/hooks/atelier", strings.NewReader(body), "Signature", atelier.sign([]byte(body)))
}

func TestADeliveryIsKeptOrRefused(t *testing.T) {
	body := `{"id": 7}`
	for _, test := range []struct {
		name, path, body string
		header           []string
		status           int
		kept             int
		want             hooks.Counts
	}{
		{"signed", "/hooks/atelier", body, []string{"Signature", atelier.sign([]byte(body))}, 200, 1, hooks.Counts{Accepted: 1}},
		{"unsigned", "/hooks/atelier", body, nil, 401, 0, hooks.Counts{Refused: map[hooks.Reason]int{hooks.BadSignature: 1}}},
		{"signed with another secret", "/hooks/atelier", body, []string{"Signature", signer{"guess"}.sign([]byte(body))}, 401, 0,
			hooks.Counts{Refused: map[hooks.Reason]int{hooks.BadSignature: 1}}},
		{"signed, then changed", "/hooks/atelier", `{"id": 8}`, []string{"Signature", atelier.sign([]byte(body))}, 401, 0,
			hooks.Counts{Refused: map[hooks.Reason]int{hooks.BadSignature: 1}}},
		{"of another shop", "/hooks/atelier", body, []string{"Signature", atelier.sign([]byte(body)), "Shop", "boutique"}, 401, 0,
			hooks.Counts{Refused: map[hooks.Reason]int{hooks.Foreign: 1}}},
		{"garbage", "/hooks/atelier", `{"id": `, []string{"Signature", atelier.sign([]byte(`{"id": `))}, 400, 0,
			hooks.Counts{Refused: map[hooks.Reason]int{hooks.Unreadable: 1}}},
		{"a ping", "/hooks/atelier", "webhook_id=1", nil, 200, 0, hooks.Counts{Empty: 1}},
		{"to a shop that is not there", "/hooks/boutique", body, []string{"Signature", atelier.sign([]byte(body))}, 404, 0, hooks.Counts{}},
		{"to no shop", "/hooks/", body, nil, 404, 0, hooks.Counts{}},
		{"to elsewhere", "/", body, nil, 404, 0, hooks.Counts{}},
		{"to below a shop", "/hooks/atelier/more", body, nil, 404, 0, hooks.Counts{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, hooks.Options{})
			if got := d.post(test.path, strings.NewReader(test.body), test.header...); got != test.status {
				t.Errorf("answered %d, want %d", got, test.status)
			}
			if got := d.waiting(); got != test.kept {
				t.Errorf("%d records wait, want %d", got, test.kept)
			}
			got := d.receiver.Counts("atelier")
			if test.want.Refused == nil {
				test.want.Refused = map[hooks.Reason]int{}
			}
			if test.want.Accepted > 0 {
				test.want.Last = &d.now
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyPostIsTaken(t *testing.T) {
	d := newDesk(t, hooks.Options{})
	for path, want := range map[string]int{"/hooks/atelier": 405, "/hooks/": 404, "/": 404} {
		answer, err := d.client.Get(d.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("GET %s answered %d, want %d", path, answer.StatusCode, want)
		}
	}
}

func TestADeliveryThatIsReplayedChangesNothing(t *testing.T) {
	d := newDesk(t, hooks.Options{})
	for range 5 {
		if got := d.signed(`{"id": 7}`); got != 200 {
			t.Errorf("answered %d", got)
		}
	}
	if c := d.receiver.Counts("atelier"); c.Accepted != 1 || c.Repeated != 4 || d.waiting() != 1 {
		t.Errorf("%+v; %d records wait", c, d.waiting())
	}
}

func TestWhatCannotBeKeptIsNotAcknowledged(t *testing.T) {
	d := newDesk(t, hooks.Options{Take: func(string, connectors.Hint) (bool, error) { return false, io.ErrShortWrite }})
	if got := d.signed(`{"id": 7}`); got != 503 {
		t.Errorf("answered %d, want 503", got)
	}
}

// send writes a request by hand, and returns the answer and how many bytes of
// the body went out before it came.
func (d *desk) send(head string, chunk []byte, chunks int) (status string, sent int64) {
	d.t.Helper()
	conn, err := net.Dial("tcp", d.server.Listener.Addr().String())
	if err != nil {
		d.t.Fatal(err)
	}
	defer conn.Close()
	answered := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(conn).ReadString('\n')
		answered <- line
	}()
	if _, err := io.WriteString(conn, "POST /hooks/atelier HTTP/1.1\r\nHost: localhost\r\n"+head+"\r\n\r\n"); err != nil {
		d.t.Fatal(err)
	}
	for range chunks {
		select {
		case status = <-answered:
			return status, sent
		default:
		}
		n, err := conn.Write(chunk)
		sent += int64(n)
		if err != nil {
			break // the other side has closed
		}
	}
	return <-answered, sent
}

const hundredMegabytes = 100 << 20

func TestAHundredMegabytesAreRefusedUnread(t *testing.T) {
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	framed := fmt.Appendf(nil, "%x\r\n%s\r\n", len(chunk), chunk)
	for _, test := range []struct {
		name, head string
		chunk      []byte
	}{
		{"declared", "Content-Length: " + strconv.Itoa(hundredMegabytes), chunk},
		{"in chunks", "Transfer-Encoding: chunked", framed},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, hooks.Options{})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			status, sent := d.send(test.head, test.chunk, hundredMegabytes/len(chunk))
			runtime.ReadMemStats(&after)
			if !strings.Contains(status, " 413 ") {
				t.Errorf("answered %q", status)
			}
			if sent > hundredMegabytes/4 {
				t.Errorf("%d bytes were sent before the answer", sent)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
				t.Errorf("%d bytes were allocated", used)
			}
			if c := d.receiver.Counts("atelier"); c.Refused[hooks.TooLarge] != 1 || d.waiting() != 0 {
				t.Errorf("%+v; %d records wait", c, d.waiting())
			}
		})
	}
}

func TestASlowBodyIsCutOff(t *testing.T) {
	d := newDesk(t, hooks.Options{BodyTimeout: 50 * time.Millisecond})
	body, drip := io.Pipe()
	defer drip.Close()
	go func() { _, _ = drip.Write([]byte(`{"id"`)) }()
	began := time.Now()
	if got := d.post("/hooks/atelier", body); got != http.StatusRequestTimeout {
		t.Errorf("answered %d, want %d", got, http.StatusRequestTimeout)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it was let stay for %v", took)
	}
	if c := d.receiver.Counts("atelier"); c.Refused[hooks.TooSlow] != 1 {
		t.Errorf("%+v", c)
	}
}

func TestBeyondSoManyAtOnceSendersAreAskedToComeAgain(t *testing.T) {
	d := newDesk(t, hooks.Options{AtOnce: 3, BodyTimeout: time.Minute})
	d.client.Transport.(*http.Transport).ExpectContinueTimeout = time.Minute
	var hanging sync.WaitGroup
	var pipes []*io.PipeWriter
	for range 3 {
		body, drip := io.Pipe()
		pipes = append(pipes, drip)
		hanging.Go(func() { d.post("/hooks/atelier", body, "Expect", "100-continue") })
		if _, err := drip.Write([]byte("{")); err != nil { // asked for by the receiver, so the request has its room
			t.Fatal(err)
		}
	}
	refused := func() bool { return d.signed(`{"id": 7}`) == http.StatusServiceUnavailable }
	for deadline := time.Now().Add(10 * time.Second); !refused(); {
		if time.Now().After(deadline) {
			t.Fatal("there is room for a fourth")
		}
	}
	if got := d.post("/hooks/boutique", strings.NewReader("{}")); got != http.StatusNotFound {
		t.Errorf("a shop that is not there takes up room: answered %d", got)
	}
	for _, drip := range pipes {
		_ = drip.Close()
	}
	hanging.Wait()
	if got := d.signed(`{"id": 8}`); got != http.StatusOK {
		t.Errorf("answered %d when there is room again", got)
	}
}

func TestAThousandDeliveriesASecondAreTakenInBoundedMemory(t *testing.T) {
	d := newDesk(t, hooks.Options{})
	const senders, each = 40, 25
	filler := strings.Repeat("x", 20<<10) // an order is some 10 KiB
	peak := watchHeap(t)
	began := time.Now()
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for i := range each {
				if got := d.signed(fmt.Sprintf(`{"id": %d, "filler": %q}`, s*each+i, filler)); got != 200 {
					t.Errorf("answered %d", got)
				}
			}
		})
	}
	sending.Wait()
	took := time.Since(began)
	if got := d.waiting(); got != senders*each {
		t.Errorf("%d records wait, want %d", got, senders*each)
	}
	if took > 30*time.Second { // a second and less on a machine that does nothing else
		t.Errorf("%d deliveries took %v", senders*each, took)
	}
	most := peak()
	if most > 64<<20 {
		t.Errorf("the heap grew to %d bytes", most)
	}
	t.Logf("%d deliveries in %v, the heap grew to %d bytes", senders*each, took, most)
}

func TestManyLargeBodiesAtOnceStayWithinTheBound(t *testing.T) {
	d := newDesk(t, hooks.Options{AtOnce: 4})
	body := strings.Repeat("x", 1<<20)
	peak := watchHeap(t)
	var sending sync.WaitGroup
	for range 100 {
		sending.Go(func() {
			if got := d.post("/hooks/atelier", strings.NewReader(body)); got != 401 && got != 503 && got != 0 {
				t.Errorf("answered %d", got)
			}
		})
	}
	sending.Wait()
	most := peak()
	t.Logf("the heap grew to %d bytes", most)
	if most > 96<<20 {
		t.Errorf("the heap grew to %d bytes", most)
	}
}

// watchHeap returns what stops watching the heap and tells how far it grew.
func watchHeap(t *testing.T) (peak func() int64) {
	t.Helper()
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	first, most := int64(m.HeapAlloc), int64(0)
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			runtime.ReadMemStats(&m)
			most = max(most, int64(m.HeapAlloc)-first)
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	return func() int64 {
		close(stop)
		watching.Wait()
		return most
	}
}

func TestARefusalIsLoggedOnceAMinuteAndTellsNothing(t *testing.T) {
	d := newDesk(t, hooks.Options{})
	for range 3 {
		d.post("/hooks/atelier", strings.NewReader("a private thing"), "Signature", "a private signature")
		d.post("/hooks/a-private-name", strings.NewReader(""))
	}
	if n := strings.Count(d.log.String(), "a delivery was refused"); n != 2 {
		t.Errorf("%d lines:\n%s", n, d.log.String())
	}
	d.now = d.now.Add(time.Minute)
	d.post("/hooks/atelier", strings.NewReader("a private thing"))
	if !strings.Contains(d.log.String(), `"times":3`) {
		t.Errorf("the log does not tell how many were refused:\n%s", d.log.String())
	}
	if strings.Contains(d.log.String(), "private") {
		t.Errorf("the log tells what was sent:\n%s", d.log.String())
	}
}

func FuzzReceive(f *testing.F) {
	body := `{"id": 7}`
	f.Add("POST", "/hooks/atelier", atelier.sign([]byte(body)), "", body)
	f.Add("POST", "/hooks/atelier", "", "boutique", body)
	f.Add("GET", "/hooks/%00", "x", "", "webhook_id=1")
	f.Add("POST", "/hooks/../hooks/atelier", "", "", "{")
	taken := 0
	r := hooks.New(hooks.Options{
		Hinter: func(shop string) (connectors.Hinter, bool) { return atelier, shop == "atelier" },
		Take:   func(string, connectors.Hint) (bool, error) { taken++; return false, nil },
		Now:    time.Now, Log: zerolog.Nop(), MaxBody: 4 << 10,
	})
	f.Fuzz(func(t *testing.T, method, path, signature, shop, body string) {
		req, err := http.NewRequest(method, "http://localhost", strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		req.URL.Path = path
		req.Header.Set("Signature", signature)
		req.Header.Set("Shop", shop)
		before := taken
		w := &recorder{ResponseRecorder: httptest.NewRecorder()}
		r.ServeHTTP(w, req)
		honest := method == http.MethodPost && len(body) <= 4<<10 && (signature == atelier.sign([]byte(body)) || body == "webhook_id=1")
		if taken != before && !honest {
			t.Errorf("%s %s was taken and answered with %d", method, path, w.Code)
		}
	})
}

// recorder lets a deadline be set, as a connection does.
type recorder struct{ *httptest.ResponseRecorder }

func (recorder) SetReadDeadline(time.Time) error { return nil }

func TestTheServerStopsThoughASenderHangs(t *testing.T) {
	d := newDesk(t, hooks.Options{BodyTimeout: time.Minute})
	s, err := hooks.Start("127.0.0.1:0", d.receiver, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hooks.Start(s.Address(), d.receiver, zerolog.Nop()); err == nil {
		t.Error("a second server listens at the same address")
	}
	conn, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /hooks/atelier HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", s.Address()); err == nil {
		t.Error("it still listens")
	}
}
