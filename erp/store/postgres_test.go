package store_test

import (
	"net"
	"net/url"
	"strings"
	"testing"

	"comptoir/erp/fault"
	"comptoir/erp/store"
	"comptoir/erp/store/storetest"
)

func TestServerOutOfReachIsAFault(t *testing.T) {
	// A port that nobody listens on: one that was free a moment ago.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, err = store.Open(t.Context(), store.Options{URL: "postgres://clerk:hunter2@" + address + "/books"})
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the message has the password: %v", err)
	}
}

func TestURLThatIsNotOneIsAFault(t *testing.T) {
	_, err := store.Open(t.Context(), store.Options{URL: "postgres://clerk:hunter2@host:port/books"})
	if fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// change returns the URL with something changed.
func change(t *testing.T, s string, fn func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	fn(u)
	return u.String()
}

func TestRefusalsOfTheServerAreFaults(t *testing.T) {
	given := storetest.URL(t)
	tests := []struct{ name, url, says string }{
		{"unknown database", change(t, given, func(u *url.URL) { u.Path = "/no_such_books" }), "has no such database"},
		{"unknown user", change(t, given, func(u *url.URL) { u.User = url.UserPassword("no_such_clerk", "hunter2") }), "refuses the user"},
	}
	for _, test := range tests {
		_, err := store.Open(t.Context(), store.Options{URL: test.url})
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestServerSchemaOfANewerVersionIsRefused(t *testing.T) {
	given := storetest.URL(t)
	db, err := store.Open(t.Context(), store.Options{URL: given})
	if err != nil {
		t.Fatal(err)
	}
	write(t, db, func(tx *store.Tx) error {
		tx.Queue(`INSERT INTO schema_version (version_id, is_applied) VALUES (99999, true)`)
		return nil
	})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Options{URL: given}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestHandlesThatOpenANewDatabaseAtOnceAgree(t *testing.T) {
	given := storetest.URL(t)
	admin, err := store.Open(t.Context(), store.Options{URL: given})
	if err != nil {
		t.Fatal(err)
	}
	write(t, admin, func(tx *store.Tx) error {
		tx.Queue(`DROP SCHEMA public CASCADE`)
		tx.Queue(`CREATE SCHEMA public`)
		return nil
	})
	if err := admin.Close(); err != nil {
		t.Fatal(err)
	}
	inParallel(t, 3, func() error {
		db, err := store.Open(t.Context(), store.Options{URL: given})
		if err != nil {
			return err
		}
		return db.Close()
	})
}
