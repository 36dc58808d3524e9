package syncstate

import (
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func orderPointer(id string) Pointer { return Pointer{Kind: "order", ID: id, Resource: "orders"} }

// said makes a delivery about orders.
func said(key string, at time.Time, ids ...string) Delivery {
	d := Delivery{Shop: "atelier", Key: key, At: at}
	for _, id := range ids {
		d.Records = append(d.Records, orderPointer(id))
	}
	return d
}

func takeIn(t testing.TB, s *Bolt, d Delivery, limits InboxLimits) (repeated bool) {
	t.Helper()
	repeated, err := s.TakeIn(d, limits)
	if err != nil {
		t.Fatal(err)
	}
	return repeated
}

// waiting lists what waits: records by id, resources in brackets.
func waiting(t testing.TB, s *Bolt) []string {
	t.Helper()
	records, pulls, err := s.Inbox("atelier", 1000)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, w := range records {
		out = append(out, w.ID)
	}
	for _, w := range pulls {
		out = append(out, "["+w.Resource+"]")
	}
	return out
}

func assertWaiting(t testing.TB, s *Bolt, want ...string) {
	t.Helper()
	if d := cmp.Diff(append([]string{}, want...), waiting(t, s)); d != "" {
		t.Errorf("what waits (-want +got):\n%s", d)
	}
}

func TestARecordWaitsOnceHoweverOftenItIsPointedAt(t *testing.T) {
	s := fresh(t)
	for i, id := range []string{"20", "3", "20", "3", "100"} {
		if takeIn(t, s, said(strconv.Itoa(i), noon.Add(time.Duration(i)*time.Second), id), InboxLimits{}) {
			t.Errorf("delivery %d is taken for a repetition", i)
		}
	}
	assertWaiting(t, s, "20", "3", "100") // in the order in which they came
	st, err := s.InboxStats("atelier")
	if err != nil || st != (InboxStats{Records: 3, Oldest: noon}) {
		t.Errorf("the inbox holds %+v, %v", st, err)
	}
}

func TestADeliveryThatWasTakenInIsRepeatedUntilItIsForgotten(t *testing.T) {
	limits := InboxLimits{Keys: 3, Memory: time.Hour}
	for _, test := range []struct {
		name     string
		between  []string // keys of other deliveries
		after    time.Duration
		key      string
		repeated bool
	}{
		{"at once", nil, 0, "a", true},
		{"almost an hour later", nil, time.Hour - time.Second, "a", true},
		{"an hour later", nil, time.Hour, "a", false},
		{"after two others", []string{"b", "c"}, 0, "a", true},
		{"after more than are remembered", []string{"b", "c", "d"}, 0, "a", false},
		{"another event", nil, 0, "b", false},
		{"one that says nothing", nil, 0, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := fresh(t)
			takeIn(t, s, said("a", noon, "1"), limits)
			takeIn(t, s, said("", noon, "1"), limits)
			for _, key := range test.between {
				takeIn(t, s, said(key, noon, "1"), limits)
			}
			if got := takeIn(t, s, said(test.key, noon.Add(test.after), "1"), limits); got != test.repeated {
				t.Errorf("repeated: %v, want %v", got, test.repeated)
			}
		})
	}
}

func TestTheMemoryOfDeliveriesStaysBounded(t *testing.T) {
	s, limits := fresh(t), InboxLimits{Keys: 8, Memory: time.Hour}
	for i := range 60 {
		takeIn(t, s, said(strconv.Itoa(i%13), noon.Add(time.Duration(i)*5*time.Minute), "1"), limits)
	}
	err := s.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketInbox).Bucket([]byte("atelier"))
		for _, name := range [][]byte{boxSeen, boxPast} {
			if n := b.Bucket(name).Stats().KeyN; n > limits.Keys {
				t.Errorf("%s holds %d entries, want at most %d", name, n, limits.Keys)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTooManyRecordsBecomeAReadingOfTheWholeResource(t *testing.T) {
	s, limits := fresh(t), InboxLimits{Records: 3}
	for i := range 10 {
		takeIn(t, s, said("", noon, strconv.Itoa(i)), limits)
	}
	takeIn(t, s, Delivery{Shop: "atelier", At: noon, Pulls: []string{"products"}}, limits)
	assertWaiting(t, s, "0", "1", "2", "[orders]", "[products]")

	records, pulls, err := s.Inbox("atelier", 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.LookedAt("atelier", append(records, pulls...)); err != nil {
		t.Fatal(err)
	}
	assertWaiting(t, s, "2")
	takeIn(t, s, said("", noon, "11", "12", "13"), limits)
	assertWaiting(t, s, "2", "11", "12", "[orders]")
}

func TestWhatIsPointedAtWhileItIsLookedAtStays(t *testing.T) {
	s := fresh(t)
	takeIn(t, s, said("", noon, "1", "2"), InboxLimits{})
	takeIn(t, s, Delivery{Shop: "atelier", At: noon, Pulls: []string{"orders"}}, InboxLimits{})
	records, pulls, err := s.Inbox("atelier", 100)
	if err != nil {
		t.Fatal(err)
	}
	takeIn(t, s, said("", noon, "2"), InboxLimits{})
	takeIn(t, s, Delivery{Shop: "atelier", At: noon, Pulls: []string{"orders"}}, InboxLimits{})
	for range 2 { // taking it out twice does no harm
		if err := s.LookedAt("atelier", append(records, pulls...)); err != nil {
			t.Fatal(err)
		}
		assertWaiting(t, s, "2", "[orders]")
	}
}

func TestKindsAndShopsAreKeptApart(t *testing.T) {
	s := fresh(t)
	takeIn(t, s, Delivery{Shop: "atelier", Key: "a", At: noon, Records: []Pointer{{Kind: "order", ID: "1"}, {Kind: "product", ID: "1"}}}, InboxLimits{})
	if takeIn(t, s, Delivery{Shop: "boutique", Key: "a", At: noon, Records: []Pointer{{Kind: "order", ID: "1"}}}, InboxLimits{}) {
		t.Error("what one shop said is taken for a repetition of what another one did")
	}
	assertWaiting(t, s, "1", "1")
}

func TestTheInboxOutlivesTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sync.bolt")
	s := open(t, path, Options{})
	takeIn(t, s, said("a", noon, "1"), InboxLimits{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{})
	assertWaiting(t, s, "1")
	if !takeIn(t, s, said("a", noon, "2"), InboxLimits{}) {
		t.Error("a repetition is not known after a restart")
	}
}

func TestAFileWithoutAnInboxIsAnEmptyOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sync.bolt")
	if err := open(t, path, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, Options{ReadOnly: true})
	assertWaiting(t, s)
	if st, err := s.InboxStats("atelier"); err != nil || st != (InboxStats{}) {
		t.Errorf("the inbox holds %+v, %v", st, err)
	}
}

func TestManyDeliveriesAtATimeShareTheirCommits(t *testing.T) {
	s := fresh(t)
	const callers, each = 50, 20
	before := commits(t, s)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				if _, err := s.TakeIn(said(fmt.Sprint(c, "/", i), noon, fmt.Sprint(c*each+i)), InboxLimits{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if st, err := s.InboxStats("atelier"); err != nil || st.Records != callers*each {
		t.Errorf("the inbox holds %+v, %v", st, err)
	}
	if n := commits(t, s) - before; n > callers*each/5 {
		t.Errorf("%d deliveries took %d commits", callers*each, n)
	}
}

// commits returns how often the file was written.
func commits(t testing.TB, s *Bolt) (n int) {
	t.Helper()
	err := s.view(func(tx *bolt.Tx) error {
		n = tx.ID()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
