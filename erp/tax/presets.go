package tax

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"comptoir/erp/fault"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"
)

//go:embed presets/*.yaml
var presets embed.FS

// Presets lists the names of the rules that ship with the books.
func Presets() []string { return []string{"fr", "us-ca"} }

// Preset returns rules that ship with the books.
func Preset(name string) (*Rules, error) {
	if !slices.Contains(Presets(), name) {
		return nil, fault.New(fault.NotFound, "use one of "+strings.Join(Presets(), ", ")+", or a file of your own", "there are no tax rules %q", name)
	}
	f, err := presets.Open("presets/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("read tax rules %s: %w", name, err)
	}
	defer f.Close()
	return ReadRules(f)
}

// rulesFile is how rules are written in YAML: rates in per cent.
type rulesFile struct {
	Name     string `yaml:"name"`
	Agencies []struct {
		Code, Name, Period, Account string
		Collects                    []string
	} `yaml:"agencies"`
	Zones []struct {
		Code, Name                    string
		Countries, Regions, Postcodes []string
		Home                          bool
	} `yaml:"zones"`
	Rates []struct {
		Zone, Category, Name, Agency string
		Position                     int
		Percent                      string
		Compound                     bool
		From, To                     string
		Recoverable                  *string // per cent; 100 where it is not said
	} `yaml:"rates"`
}

// ReadRules reads rules from YAML, as those in the folder presets are written.
// They may add to others, and so are not checked yet: see Merge.
func ReadRules(r io.Reader) (*Rules, error) {
	const most = 1 << 20
	raw, err := io.ReadAll(io.LimitReader(r, most))
	if err != nil {
		return nil, fmt.Errorf("read tax rules: %w", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	var f rulesFile
	if err := dec.Decode(&f); err != nil {
		return nil, fault.New(fault.Invalid, "write them as the presets are", "the tax rules cannot be read: %w", err)
	}
	out := &Rules{Name: f.Name}
	for _, a := range f.Agencies {
		out.Agencies = append(out.Agencies, Authority{Code: a.Code, Name: a.Name, Period: a.Period, Account: a.Account, Collects: a.Collects})
	}
	for _, z := range f.Zones {
		out.Zones = append(out.Zones, Zone{Code: z.Code, Name: z.Name, Countries: z.Countries, Regions: z.Regions, Postcodes: z.Postcodes, Home: z.Home})
	}
	for _, x := range f.Rates {
		rate := Rate{Zone: x.Zone, Category: x.Category, Position: x.Position, Name: x.Name, Agency: x.Agency, Compound: x.Compound, From: x.From, To: x.To, RecoverablePPM: 1_000_000}
		if rate.PPM, err = percentPPM(x.Percent); err != nil {
			return nil, fmt.Errorf("tax rate %q: %w", x.Name, err)
		}
		if x.Recoverable != nil {
			if rate.RecoverablePPM, err = percentPPM(*x.Recoverable); err != nil {
				return nil, fmt.Errorf("recoverable part of %q: %w", x.Name, err)
			}
		}
		out.Rates = append(out.Rates, rate)
	}
	return out, nil
}

func percentPPM(text string) (int64, error) {
	d, err := decimal.NewFromString(text)
	if err != nil {
		return 0, fault.New(fault.Invalid, "write it as 5.5", "%q is not a percentage", text)
	}
	return PPM(d)
}

// Percent writes a rate for people: 55,000 ppm are 5.5.
func Percent(ppm int64) string { return decimal.New(ppm, -4).String() }
