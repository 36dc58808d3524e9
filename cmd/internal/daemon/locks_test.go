package daemon

import (
	"slices"
	"testing"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/erp/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// take takes the locks of a process of its own, which stands by where it must.
func take(t *testing.T, url string, names ...string) *locks {
	t.Helper()
	c := &config.Config{}
	c.Books.URL = url
	var shops []*config.Shop
	for _, name := range names {
		shops = append(shops, &config.Shop{Name: name})
	}
	l, err := takeLocks(t.Context(), c, shops, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.close() })
	return l
}

// look looks again at what is ours; a session that was closed ends a moment
// later.
func (l *locks) look(t *testing.T, changed bool, mine ...string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		got, err := l.refresh(t.Context())
		ours := slices.Sorted(slices.Values(l.mine))
		if err == nil && got == changed && slices.Equal(ours, mine) {
			return
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("changed %v, %v are ours, %v; want %v, %v", got, ours, err, changed, mine)
		}
	}
}

func TestAShopGoesToWhoeverIsLeftWhenItsProcessEnds(t *testing.T) {
	url := storetest.URL(t)
	first := take(t, url, "atelier", "boutique")
	second := take(t, url, "atelier", "boutique")
	first.look(t, false, "atelier", "boutique")
	second.look(t, false)
	if err := first.close(); err != nil { // as when the process ends
		t.Fatal(err)
	}
	second.look(t, true, "atelier", "boutique")
	first.look(t, true)
	if err := second.close(); err != nil {
		t.Fatal(err)
	}
	first.look(t, true, "atelier", "boutique")
}

// A database that is away for longer than one look is looked for again each
// time, and what was ours before is ours again where nobody has taken it.
func TestLocksOutliveADatabaseThatIsAwayForAWhile(t *testing.T) {
	url := storetest.URL(t)
	l := take(t, url, "atelier", "boutique")
	l.url = "postgres://nobody@127.0.0.1:1/nowhere"
	if err := l.conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if changed, err := l.refresh(t.Context()); err == nil || changed {
			t.Errorf("without a database: changed %v, %v", changed, err)
		}
	}
	l.url = url
	l.look(t, false, "atelier", "boutique")
}
