package purchasing

import (
	"slices"
	"strings"
	"testing"
)

func TestAFileThatIsNoListOfBillsIsRefusedWithTheLine(t *testing.T) {
	for name, test := range map[string]struct{ text, says string }{
		"empty":             {"", "the file is empty"},
		"head only":         {"vendor,number,date,net\n", "the file holds no bills"},
		"unknown column":    {"vendor,number,date,nett\n", `line 1: column "nett" is not known: did you mean net?`},
		"column twice":      {"vendor,number,date,net,net\n", `line 1: column "net" is there twice`},
		"column missing":    {"vendor,number,net\n", `line 1: column "date" is missing`},
		"field missing":     {"vendor,number,date,net\nA,1,2026-01-01\n", "line 2: it has 3 fields, the first line has 4"},
		"net empty":         {"vendor,number,date,net\nA,1,2026-01-01,\n", "line 2: net is empty"},
		"no number":         {"vendor,number,date,net,quantity\nA,1,2026-01-01,ten,1\n", `line 2: net: "ten" is not a number`},
		"exponent":          {"vendor,number,date,net\nA,1,2026-01-01,1e9\n", `line 2: net: "1e9" is not a number`},
		"tax":               {"vendor,number,date,net,tax\nA,1,2026-01-01,1,-5\n", "line 2: tax: -5 % is no rate"},
		"two dates":         {"vendor,number,date,net\nA,1,2026-01-01,1\nA,1,2026-01-02,1\n", "line 3: its date is not that of line 2"},
		"two totals":        {"vendor,number,date,net,total\nA,1,2026-01-01,1,2\nA,1,,1,3\n", "line 3: its total is not that of line 2"},
		"several at once":   {"vendor,number,date,net\nA,1,2026-01-01,x\nA,2,2026-01-01,y\n", `line 3: net: "y"`},
		"open quote":        {"vendor,number,date,net\nA,\"1,2026-01-01,1\n", "the file is no CSV"},
		"after blank lines": {"vendor,number,date,net\n\n\nA,1,2026-01-01,x\n", "line 4:"},
	} {
		docs, err := ReadBills(strings.NewReader(test.text))
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v %v, want %q", name, docs, err, test.says)
		}
	}
}

func TestErrorsNameWhatIsNearest(t *testing.T) {
	for _, test := range []struct {
		name  string
		known []string
		want  []string
	}{
		{"SHRT", []string{"PANTS", "SHIRT", "SHORT", "SKIRT-BLUE"}, []string{"SHIRT", "SHORT"}},
		{"shirt", []string{"SHIRT", "SHIRT-BLUE"}, []string{"SHIRT", "SHIRT-BLUE"}},
		{"6520", []string{"6510", "6520x", "1010"}, []string{"6510", "6520x"}},
		{"", []string{"A", "BB"}, []string{"A"}},
		{"nothing like it", []string{"SHIRT"}, nil},
	} {
		if got := nearest(test.name, test.known); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.name, got, test.want)
		}
	}
}

// FuzzReadBills never panics, and what it reads has what a bill needs.
func FuzzReadBills(f *testing.F) {
	f.Add("vendor,number,date,net,tax\nA,1,2026-01-01,1,20\n")
	f.Add("\ufeffvendor,number,date,net\n\"A\nB\",1,2026-01-01,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		docs, err := ReadBills(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, d := range docs {
			if len(d.Lines) == 0 || d.At < 2 {
				t.Errorf("%+v", d)
			}
		}
	})
}
