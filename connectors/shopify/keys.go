package shopify

import (
	"fmt"
	"slices"
	"strings"

	"comptoir/connectors"
)

// underKey tells the shop something under a key, and under another one where an
// earlier try has failed under that. It is for mutations whose errors have no
// codes. The reason is why it was refused; "" where the shop has done it.
func (c *Connector) underKey(op, key string, tell func(key string) ([]userError, error)) (why string, err error) {
	for round := 0; ; round++ {
		errs, err := tell(roundKey(key, round))
		switch {
		case err != nil:
			return "", err
		case len(errs) == 0:
			return "", nil
		case slices.ContainsFunc(errs, keyUsedUp) && round < stockRounds:
			// Nothing was done under it, and the reason is told anew.
		case slices.ContainsFunc(errs, aboutKey):
			err := c.client.userFault(op, errs)
			err.Class = connectors.Transient
			return "", err
		default:
			return (&refusal{errs}).Error(), nil
		}
	}
}

// roundKey is the key of a try of which those before have failed under theirs.
func roundKey(key string, round int) string {
	if round == 0 {
		return key
	}
	return fmt.Sprintf("%s/%d", key, round+1)
}

// keyUsedUp reports whether an earlier request with the key has failed. This
// goes by the text, and by no more of it than must be: under another key money
// could go back twice.
func keyUsedUp(e userError) bool {
	return e.Code == codeUsedUp || aboutKey(e) && strings.Contains(strings.ToLower(e.Message), "previous") && strings.Contains(strings.ToLower(e.Message), "failed")
}

// aboutKey reports whether an error is about the key and says nothing of what
// was asked for.
func aboutKey(e userError) bool {
	return strings.Contains(strings.ToLower(e.Code+" "+e.Message), "idempoten")
}
