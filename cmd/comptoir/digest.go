package main

import (
	"comptoir/cmd/internal/config"
	"comptoir/erp"

	"github.com/spf13/cobra"
)

func (a *app) digest() *cobra.Command {
	return &cobra.Command{
		Use:   "digest",
		Short: "Print the digest of the state of the books",
		Long: "Digest prints one line of hex that stands for all documents, stock moves, entries and tax facts. It does not\n" +
			"depend on the order in which they arrived, nor on when. Two books that print the same hold the same.",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "digest", func(_ *config.Config, b *erp.Books) error {
				digest, err := b.Digest(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]string{"digest": digest})
				}
				a.printf("%s\n", digest)
				return nil
			})
		},
	}
}
