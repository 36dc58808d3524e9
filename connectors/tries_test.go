package connectors

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// drawer keeps values for as long as a test runs.
type drawer map[string][]byte

func (d drawer) Kept(_ context.Context, name string) ([]byte, error) { return d[name], nil }

func (d drawer) Keep(_ context.Context, name string, value []byte) error {
	d[name] = value
	return nil
}

// The tries that are kept are few, and the last are among them.
func TestTriesAreBounded(t *testing.T) {
	keeper, t1 := drawer{}, &Tries{}
	key := func(i int) string { return strings.Repeat("k", i+1) }
	for i := range MostTries + 20 {
		if before, err := t1.Begin(t.Context(), keeper, Try{Key: key(i), Before: []string{"1"}, Order: "7"}); before != nil || err != nil {
			t.Fatalf("try %d: %v, %v", i, before, err)
		}
	}
	t2 := &Tries{}
	if before, _ := t2.Begin(t.Context(), keeper, Try{Key: key(MostTries + 19)}); before == nil || !slices.Equal(before.Before, []string{"1"}) {
		t.Errorf("the last is not known after a restart: %+v", before)
	}
	if before, err := t2.Begun(t.Context(), keeper, key(0)); before != nil || err != nil {
		t.Errorf("the first is still known: %+v, %v", before, err)
	}
	if before, err := t2.Begun(t.Context(), keeper, key(MostTries+18)); before == nil || before.Order != "7" || err != nil {
		t.Errorf("the last but one is not known: %+v, %v", before, err)
	}
	if of, err := t2.Of(t.Context(), keeper, "7"); err != nil || len(of) != MostTries {
		t.Errorf("of the order are %d tries, %v", len(of), err)
	}
	if of, err := t2.Of(t.Context(), keeper, "8"); err != nil || len(of) != 0 {
		t.Errorf("of another order are %d tries, %v", len(of), err)
	}
	if len(t2.list) != MostTries {
		t.Errorf("%d tries are kept", len(t2.list))
	}
	keeper[keptTries] = []byte("{}")
	if before, err := (&Tries{}).Begin(t.Context(), keeper, Try{Key: "k"}); before != nil || err != nil {
		t.Errorf("what cannot be read: %v, %v", before, err)
	}
}
