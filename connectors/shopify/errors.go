package shopify

import (
	"errors"
	"strings"

	"comptoir/connectors"
)

// userError is one reason why a mutation was not carried out.
type userError struct {
	Field   []string `json:"field"`
	Message string   `json:"message"`
	Code    string   `json:"code"` // "" where the mutation has no codes
}

// userFault returns the error for what a mutation answered; nil where it was
// carried out.
func (c *client) userFault(op string, said []userError) error {
	if len(said) == 0 {
		return nil
	}
	var reasons []string
	for _, e := range said {
		reason := strings.Join(e.Field, ".") + ": " + e.Message
		if e.Code != "" {
			reason += " (" + e.Code + ")"
		}
		reasons = append(reasons, strings.TrimPrefix(reason, ": "))
	}
	return c.rest.Fail(connectors.Rejected, "shopify: "+op, errors.New(strings.Join(reasons, "; ")), "")
}
