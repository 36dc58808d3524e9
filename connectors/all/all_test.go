package all

import (
	"slices"
	"strings"
	"testing"

	"comptoir/connectors"
)

func TestEveryDriverIsComplete(t *testing.T) {
	var names []string
	for _, d := range Registry() {
		names = append(names, d.Name)
		if d.Config == nil || d.New == nil {
			t.Errorf("driver %q lacks something", d.Name)
			continue
		}
		if len(d.Config().Fields()) == 0 {
			t.Errorf("driver %q describes no settings", d.Name)
		}
		if got, err := Lookup(d.Name); err != nil || got.Name != d.Name {
			t.Errorf("Lookup(%q) = %q, %v", d.Name, got.Name, err)
		}
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != len(Registry()) {
		t.Errorf("names are not unique: %q", names)
	}
}

func TestLookupNamesTheChoices(t *testing.T) {
	if d, err := Lookup("magento"); err == nil || !strings.Contains(err.Error(), "woocommerce") || d.Name != (connectors.Driver{}).Name {
		t.Errorf("%q, %v", d.Name, err)
	}
}
