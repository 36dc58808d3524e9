package erp

import (
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/intake"
	"comptoir/erp/store"
)

// agree queues what the books and a shop agree on of a field.
func agree(tx *store.Tx, shop int64, kind intake.Kind, id int64, f intake.Field, a catalog.Agreement, now time.Time) {
	tx.Queue(`INSERT INTO agreed (shop_id, kind, local_id, field, ours, theirs, agreed_at) VALUES ($1,$2,$3,$4,$5,$6,$7)
		ON CONFLICT (shop_id, kind, local_id, field) DO UPDATE SET ours = excluded.ours, theirs = excluded.theirs, agreed_at = excluded.agreed_at`,
		shop, string(kind), id, string(f), a.Ours, a.Theirs, store.Micros(now))
}

// forgetAgreed queues that nothing is agreed with a shop of an object any more,
// and that there is nothing to tell it or to decide.
func forgetAgreed(tx *store.Tx, shop int64, kind intake.Kind, id int64) {
	for _, q := range []string{
		`DELETE FROM agreed WHERE shop_id = $1 AND kind = $2 AND local_id = $3`,
		`DELETE FROM conflict WHERE shop_id = $1 AND kind = $2 AND local_id = $3`,
		`DELETE FROM outbox WHERE shop_id = $1 AND kind = $2 AND object_id = $3`,
	} {
		tx.Queue(q, shop, string(kind), id)
	}
}

// agreeAnew queues that an object turned out to be another one: nothing is agreed
// yet of the two as one, and the shops that have it are told how the books have
// it.
func (b *Books) agreeAnew(tx *store.Tx, kind intake.Kind, was, is int64) {
	for _, q := range []string{ // the shops are named because the keys begin with them
		`DELETE FROM agreed WHERE shop_id IN (SELECT id FROM shop) AND kind = $1 AND local_id = $2`,
		`DELETE FROM conflict WHERE shop_id IN (SELECT id FROM shop) AND kind = $1 AND local_id = $2`,
		`DELETE FROM outbox WHERE shop_id IN (SELECT id FROM shop) AND kind = $1 AND object_id = $2`,
	} {
		tx.Queue(q, string(kind), was)
	}
	b.tell(tx, kind, is, editable[kind], 0)
}
