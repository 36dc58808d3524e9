package main

import (
	"fmt"

	"comptoir/cmd/internal/config"
	"comptoir/connectors/all"

	"github.com/spf13/cobra"
)

func (a *app) config() *cobra.Command {
	return group("config", "Print an example configuration, or the one in force", a.configExample(), a.configShow())
}

func (a *app) configExample() *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Print a configuration file with every key explained",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			example := config.Example(all.Registry())
			if a.json {
				return a.printJSON(map[string]string{"example": string(example)})
			}
			a.printf("%s", example)
			return nil
		},
	}
}

func (a *app) configShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Print the configuration in force, without its secrets",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.load()
			if err != nil {
				return err
			}
			render := c.YAML
			if a.json {
				render = c.JSON
			}
			text, err := render()
			if err != nil {
				return fmt.Errorf("show the configuration: %w", err)
			}
			if c.File != "" && !a.json {
				a.printf("# from %s\n", c.File)
			}
			a.printf("%s", text)
			if a.json {
				a.printf("\n")
			}
			return nil
		},
	}
}
