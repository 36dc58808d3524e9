package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"comptoir/erp/fault"

	"github.com/pressly/goose/v3"
	"github.com/rs/zerolog"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// migrate applies the migrations of a dialect that db has not seen yet.
func migrate(ctx context.Context, db *sql.DB, d goose.Dialect, folder string, log zerolog.Logger, opts ...goose.ProviderOption) error {
	files, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return err
	}
	opts = append(opts,
		goose.WithTableName("schema_version"),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()),
	)
	p, err := goose.NewProvider(d, db, files, opts...)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	return applyAll(ctx, p, log)
}

// applyAll applies what is pending. Another process may be doing the same:
// where a migration fails and the schema has moved on meanwhile, the other
// one did it, and we look again.
func applyAll(ctx context.Context, p *goose.Provider, log zerolog.Logger) error {
	for {
		before, err := checkVersion(ctx, p)
		if err != nil {
			return err
		}
		done, err := p.Up(ctx)
		if partial, ok := errors.AsType[*goose.PartialError](err); ok {
			done = partial.Applied
		}
		for _, m := range done {
			log.Info().Int64("version", m.Source.Version).Str("took", m.Duration.Round(time.Millisecond).String()).Msg("schema of the books brought up to date")
		}
		if err == nil {
			return nil
		}
		after, e := checkVersion(ctx, p)
		if e != nil || after == before {
			return fmt.Errorf("bring the schema up to date from version %d: %w", before, errors.Join(err, e))
		}
	}
}

// checkVersion returns the version of the schema, or a fault where it is
// newer than the migrations that this program knows.
func checkVersion(ctx context.Context, p *goose.Provider) (int64, error) {
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the version of the schema: %w", err)
	}
	if has > knows {
		return 0, fault.New(fault.Invalid,
			"install the version of comptoir that last ran on them, or a newer one",
			"the schema of the books is at version %d and this program knows versions up to %d", has, knows)
	}
	return has, nil
}
