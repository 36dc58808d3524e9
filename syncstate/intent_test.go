package syncstate

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const stock = "atelier/stock"

func intended(t *testing.T, s *Bolt, stream string) []Intent {
	t.Helper()
	list, err := s.Intents(stream)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestIntentsOutliveTheProcessUntilTheyAreFulfilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sync.bolt")
	s := open(t, path, Options{})
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	later := Intent{Key: "a", Stream: stock, Request: []byte(`{"n":2}`), At: at.Add(time.Second)}
	first := Intent{Key: "b", Stream: stock, Request: []byte(`{"n":1}`), At: at}
	other := Intent{Key: "a", Stream: "atelier/product", Request: []byte("x"), At: at}
	for _, i := range []Intent{later, first, other} {
		if err := s.Intend(i); err != nil {
			t.Fatal(err)
		}
	}
	reopen := func() {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, path, Options{})
	}
	reopen()
	if d := cmp.Diff([]Intent{first, later}, intended(t, s, stock)); d != "" {
		t.Errorf("intents (-want +got):\n%s", d)
	}
	for range 2 { // the second time it is gone already
		if err := s.Fulfil(stock, "b"); err != nil {
			t.Fatal(err)
		}
	}
	reopen()
	if d := cmp.Diff([]Intent{later}, intended(t, s, stock)); d != "" {
		t.Errorf("intents (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]Intent{other}, intended(t, s, "atelier/product")); d != "" {
		t.Errorf("intents of another stream (-want +got):\n%s", d)
	}
}

func TestAnIntentThatIsRememberedStaysAsItIs(t *testing.T) {
	s := fresh(t)
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	first := Intent{Key: "k", Stream: stock, Request: []byte("as it was sent"), At: at}
	for _, i := range []Intent{first, {Key: "k", Stream: stock, Request: []byte("another"), At: at.Add(time.Hour)}} {
		if err := s.Intend(i); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]Intent{first}, intended(t, s, stock)); d != "" {
		t.Errorf("intents (-want +got):\n%s", d)
	}
}

func TestAFileWithoutIntentsHasNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sync.bolt")
	if err := open(t, path, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, Options{ReadOnly: true})
	if list := intended(t, s, stock); len(list) != 0 {
		t.Errorf("got %v", list)
	}
}

func TestWhatAFulfilledIntentHasChangedIsNotTakenForKnown(t *testing.T) {
	s := fresh(t)
	touched, other := Key{"7", digest("before")}, Key{"8", digest("as it is")}
	advance(t, s, "atelier/products", Mark{}, mark(1, "c"), touched, other)
	if err := s.Intend(Intent{Key: "k", Stream: stock, Request: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if err := s.Fulfil(stock, "k", Touched{Stream: "atelier/products", IDs: []string{"7", "unknown"}}, Touched{Stream: "atelier/none", IDs: []string{"1"}}); err != nil {
		t.Fatal(err)
	}
	assertKnown(t, s, "atelier/products", map[Key]bool{touched: false, other: true})
	if list := intended(t, s, stock); len(list) != 0 {
		t.Errorf("got %v", list)
	}
}
