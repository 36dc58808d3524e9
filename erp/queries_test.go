package erp_test

import (
	"testing"

	"comptoir/erp/store"
	"comptoir/erp/store/storetest"
)

func TestEveryQueryIsUnderstoodByBothDatabases(t *testing.T) {
	queries := storetest.Queries(t, ".", "sales", "payouts", "purchasing", "ledger", "inventory", "tax", "crm", "catalog", "completeness", "reports", "exports", "documents")
	if len(queries) < 50 {
		t.Fatalf("only %d queries found", len(queries))
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) { storetest.Prepare(t, db, queries) })
}
