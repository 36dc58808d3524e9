package engine

import (
	"errors"
	"fmt"
	"strings"

	"comptoir/connectors"
)

// readError is why resources of a shop could not be read.
type readError struct {
	resources []string
	shop      string
	err       error
}

func (e *readError) Error() string {
	return fmt.Sprintf("read %s of shop %s: %v", strings.Join(e.resources, ", "), e.shop, e.err)
}

func (e *readError) Unwrap() error { return e.err }

// joined is errors.Join that leaves a single error as it is, and that says once
// what several resources failed with alike.
func joined(errs []*readError) error {
	var told []*readError
	var all []error
next:
	for _, e := range errs {
		for _, before := range told {
			if alike(before.err, e.err) {
				before.resources = append(before.resources, e.resources...)
				continue next
			}
		}
		told = append(told, e)
		all = append(all, e)
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// alike reports whether two errors say the same, but for what was being done
// and for the part of an answer that they quote.
func alike(a, b error) bool {
	var x, y *connectors.Error
	if errors.As(a, &x) && errors.As(b, &y) {
		of, _, _ := strings.Cut(x.Err.Error(), `"`)
		other, _, _ := strings.Cut(y.Err.Error(), `"`)
		return x.Class == y.Class && x.Fix == y.Fix && of == other
	}
	return a.Error() == b.Error()
}
