package daemon

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/goleak"
)

// tellingStall is a stall that sends hints.
type tellingStall struct {
	*stall
	subscribed chan string // addresses
}

func (s tellingStall) Hint(header http.Header, _ []byte) (connectors.Hint, error) {
	if header.Get("Signature") != "right" {
		return connectors.Hint{}, connectors.ErrSignature
	}
	return connectors.Hint{Key: "a", Pull: []intake.Resource{intake.Categories}}, nil
}

func (s tellingStall) Subscribe(_ context.Context, address string) ([]connectors.Subscription, error) {
	s.subscribed <- address
	return []connectors.Subscription{{Topic: "product.updated", ID: "1", Done: "made"}}, nil
}

// writeHooks writes a configuration in which hints are taken.
func (w *world) writeHooks(listen string) {
	w.t.Helper()
	text := "data: " + filepath.Join(filepath.Dir(w.file), "data") + "\nstop_timeout: 200ms\n" +
		"webhooks: {listen: \"" + listen + "\", url: \"https://comptoir.example.com/\"}\n" +
		"shops:\n  atelier: {connector: stall, jitter: 0s}\n  marche: {connector: stall, jitter: 0s, webhooks: false}\n"
	if err := os.WriteFile(w.file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// status waits until the status file tells what is asked for.
func (w *world) status(ready func(Status) bool) Status {
	w.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(w.file), "data", "status.json"))
		var s Status
		if err == nil && json.Unmarshal(b, &s) == nil && ready(s) {
			return s
		}
	}
	w.t.Fatalf("the status never told it; the log says\n%s", w.log)
	return Status{}
}

func TestTheDaemonTakesHintsAndAsksForThem(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	w := newWorld(t)
	w.hints = make(chan string, 10)
	listen := freeAddress(t)
	w.writeHooks(listen)
	ended := w.start(0)
	w.told(systemd.SdNotifyReady)
	if got := <-w.hints; got != "https://comptoir.example.com/hooks/atelier" {
		t.Errorf("asked for hints at %s", got)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	post := func(path, signature string) int {
		req, err := http.NewRequest(http.MethodPost, "http://"+listen+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Signature", signature)
		answer, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	for _, test := range []struct {
		path, signature string
		want            int
	}{{"/hooks/atelier", "wrong", 401}, {"/hooks/marche", "right", 404}, {"/hooks/nobody", "right", 404}, {"/hooks/atelier", "right", 200}} {
		if got := post(test.path, test.signature); got != test.want {
			t.Errorf("%s with a %s signature is answered with %d, want %d", test.path, test.signature, got, test.want)
		}
	}
	s := w.status(func(s Status) bool {
		return len(s.Webhooks) == 1 && s.Webhooks[0].Accepted == 1 && s.Webhooks[0].Refused["wrong signature"] == 1 && len(s.Webhooks[0].Subscriptions) == 1
	})
	if s.Shops[0].Hints == nil {
		t.Error("the status does not tell what waits")
	}
	w.signals <- syscall.SIGTERM
	if err := w.ended(ended); err != nil {
		t.Errorf("ended with %v", err)
	}
	if _, err := client.Get("http://" + listen + "/"); err == nil {
		t.Error("hints are still taken")
	}
}

func TestTheDaemonGoesOnWhereHintsCannotBeTaken(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	w := newWorld(t)
	w.hints = make(chan string, 10)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	w.writeHooks(taken.Addr().String())
	ended := w.start(0)
	w.told(systemd.SdNotifyReady)
	if !strings.Contains(w.log.String(), "going on without hints, and trying again") {
		t.Errorf("the log says\n%s", w.log)
	}
	w.signals <- syscall.SIGTERM
	if err := w.ended(ended); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// freeAddress returns an address on this machine at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
