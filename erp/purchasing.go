package erp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/purchasing"
	"comptoir/erp/store"
)

// SaveVendor adds a vendor, or changes the one of that name. Where it names no
// currency it is the company's.
func (b *Books) SaveVendor(ctx context.Context, v purchasing.Vendor) (purchasing.Vendor, error) {
	v.Currency = cmp.Or(v.Currency, b.opts.Company.Currency)
	if err := v.Check(); err != nil {
		return v, err
	}
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		if v.Account != "" {
			accounts, err := purchasing.Accounts(ctx, tx)
			if err != nil {
				return err
			}
			if err := purchasing.CheckExpense(v.Account, accounts); err != nil {
				return fmt.Errorf("vendor %s: %w", v.Name, err)
			}
		}
		var err error
		v, err = purchasing.SaveVendor(ctx, tx, v)
		return err
	})
	return v, err
}

// Vendors returns all vendors by name.
func (b *Books) Vendors(ctx context.Context) ([]purchasing.Vendor, error) {
	return purchasing.Vendors(ctx, b.db)
}

// Vendor returns a vendor with all its documents, by date.
func (b *Books) Vendor(ctx context.Context, name string) (v purchasing.Vendor, docs []purchasing.Recorded, err error) {
	err = b.db.Read(ctx, func(r store.Reader) error {
		if v, err = purchasing.VendorNamed(ctx, r, name); err != nil {
			return err
		}
		docs, err = purchasing.Documents(ctx, r, purchasing.Filter{Vendor: name})
		return err
	})
	return v, docs, err
}

// Bill enters a bill on credit. Entering it again changes nothing; another
// bill of the same number is a Conflict fault, unless the first was reversed.
func (b *Books) Bill(ctx context.Context, d purchasing.Document) (purchasing.Recorded, error) {
	d.Kind = purchasing.Bill
	return b.enter(ctx, d)
}

// VendorCredit enters a credit of a vendor: a bill below zero, to be used with
// others in PayBills. Goods on it leave the stock.
func (b *Books) VendorCredit(ctx context.Context, d purchasing.Document) (purchasing.Recorded, error) {
	d.Kind = purchasing.Credit
	return b.enter(ctx, d)
}

// CashPurchase enters a purchase that is paid at once. Without a number it
// gets one of ours, and entering it again buys again.
func (b *Books) CashPurchase(ctx context.Context, d purchasing.Document) (purchasing.Recorded, error) {
	d.Kind = purchasing.Cash
	return b.enter(ctx, d)
}

func (b *Books) enter(ctx context.Context, d purchasing.Document) (purchasing.Recorded, error) {
	list, err := b.enterAll(ctx, []purchasing.Document{d})
	if err != nil {
		return purchasing.Recorded{}, err
	}
	return list[0], nil
}

// ImportBills reads bills from CSV, see purchasing.ReadBills, and enters all of
// them or none. Its error tells of every line that is wrong. Bills that were
// entered before are left as they are.
func (b *Books) ImportBills(ctx context.Context, r io.Reader) ([]purchasing.Recorded, error) {
	docs, err := purchasing.ReadBills(r)
	if err != nil {
		return nil, err
	}
	return b.enterAll(ctx, docs)
}

// enterAll enters documents in one transaction. All that is wrong with any of
// them is reported.
func (b *Books) enterAll(ctx context.Context, docs []purchasing.Document) ([]purchasing.Recorded, error) {
	var out []purchasing.Recorded
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		out = make([]purchasing.Recorded, 0, len(docs))
		p := b.openPurchases(tx)
		var errs []error
		for _, d := range docs {
			r, err := p.enter(ctx, d)
			var flt *fault.Error
			switch {
			case errors.As(err, &flt):
				errs = append(errs, nameDocument(d, err))
			case err != nil:
				return nameDocument(d, err)
			}
			out = append(out, r)
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// nameDocument says which document of a file, or of the command line, an error
// is about.
func nameDocument(d purchasing.Document, err error) error {
	if d.At > 0 {
		return fmt.Errorf("%s %s (line %d): %w", d.Kind, d.Ref, d.At, err)
	}
	return fmt.Errorf("%s %s: %w", d.Kind, d.Ref, err)
}

// purchases is what entering documents shares within a transaction.
type purchases struct {
	b      *Books
	tx     *store.Tx
	poster *ledger.Poster
	writer *purchasing.Writer
	facts  *purchasing.Facts // that all documents share
}

func (b *Books) openPurchases(tx *store.Tx) *purchases {
	now := b.opts.Now()
	p := &purchases{b: b, tx: tx, poster: ledger.NewPoster(tx, b.accounts, now)}
	p.writer = &purchasing.Writer{Tx: tx, Poster: p.poster, Mover: inventory.NewMover(tx, now), Now: now}
	p.writer.Mover.Tells(b.sends(intake.FieldQuantity))
	return p
}

// flush queues the sums of what was written, so that the next document sees
// them.
func (p *purchases) flush(ctx context.Context) error {
	p.poster.Flush()
	if err := p.writer.Mover.Flush(ctx, p.b.opts.Company.Currency); err != nil {
		return err
	}
	return p.tx.Flush(ctx)
}

// common returns the facts that do not depend on the document.
func (p *purchases) common(ctx context.Context) (purchasing.Facts, error) {
	if p.facts == nil {
		accounts, err := purchasing.Accounts(ctx, p.tx)
		if err != nil {
			return purchasing.Facts{}, err
		}
		p.facts = &purchasing.Facts{Home: p.b.opts.Company.Currency, Rate: p.b.opts.Company.rate,
			Accounts: accounts, LikeAccount: purchasing.LikeAccounts(accounts)}
	}
	return *p.facts, nil
}

// enter decides and writes one document.
func (p *purchases) enter(ctx context.Context, d purchasing.Document) (purchasing.Recorded, error) {
	f, err := p.common(ctx)
	if err != nil {
		return purchasing.Recorded{}, err
	}
	if f.Vendor, err = p.vendor(ctx, d); err != nil {
		return purchasing.Recorded{}, err
	}
	if d.Kind == purchasing.Cash && d.Number == "" {
		if d.Number, err = purchasing.NextReceipt(ctx, p.tx); err != nil {
			return purchasing.Recorded{}, err
		}
	}
	had, err := purchasing.Newest(ctx, p.tx, f.Vendor.ID, d.Number)
	if err != nil {
		return purchasing.Recorded{}, err
	}
	if same, err := had.Same(d); same || err != nil {
		if err != nil {
			return purchasing.Recorded{}, err
		}
		had.Known = true
		return *had, had.Complete(ctx, p.tx)
	}
	f.Revision = had.NextRevision()
	if err := p.goods(ctx, d, &f); err != nil {
		return purchasing.Recorded{}, err
	}
	decision, err := purchasing.Decide(d, f)
	if err != nil {
		return purchasing.Recorded{}, err
	}
	r, err := p.writer.Write(ctx, decision, f.Vendor.ID)
	if err != nil {
		return r, err
	}
	return r, p.flush(ctx)
}

// vendor finds the vendor of a document; a cash purchase may name none.
func (p *purchases) vendor(ctx context.Context, d purchasing.Document) (purchasing.Vendor, error) {
	if d.Vendor == "" && d.Kind == purchasing.Cash {
		return purchasing.Vendor{}, nil
	}
	return purchasing.VendorNamed(ctx, p.tx, d.Vendor)
}

// goods reads what the books know of the goods of a document.
func (p *purchases) goods(ctx context.Context, d purchasing.Document, f *purchasing.Facts) error {
	var skus []string
	for _, l := range d.Lines {
		if l.SKU != "" {
			skus = append(skus, l.SKU)
		}
	}
	var err error
	if f.Goods, err = purchasing.GoodsOf(ctx, p.tx, skus); err != nil {
		return err
	}
	var stock []int64
	missing := false
	for _, sku := range skus {
		g, ok := f.Goods[sku]
		missing = missing || !ok
		stock = append(stock, g.Stock)
	}
	if f.Levels, err = inventory.Levels(ctx, p.tx, stock); err != nil {
		return err
	}
	if missing {
		known, err := purchasing.SKUs(ctx, p.tx)
		if err != nil {
			return err
		}
		f.LikeSKU = purchasing.LikeSKUs(known)
	}
	return nil
}

// PayBills pays bills, in whole or in part, by one numbered voucher. Credits
// among them are set against the others.
func (b *Books) PayBills(ctx context.Context, said purchasing.Payment) (purchasing.Voucher, error) {
	var out purchasing.Voucher
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		p := b.openPurchases(tx)
		if said.Key != "" {
			had, err := purchasing.Paid(ctx, tx, said)
			if err != nil {
				return err
			}
			if had != nil {
				out = *had
				return nil
			}
		}
		var err error
		if out, err = p.pay(ctx, said); err != nil {
			return err
		}
		return p.flush(ctx)
	})
	if err != nil {
		return purchasing.Voucher{}, fmt.Errorf("pay: %w", err)
	}
	return out, nil
}

func (p *purchases) pay(ctx context.Context, said purchasing.Payment) (purchasing.Voucher, error) {
	var bills []purchasing.Recorded
	var vendors []int64
	for _, pay := range said.Bills {
		r, vendor, err := document(ctx, p.tx, pay.Ref)
		if err != nil {
			return purchasing.Voucher{}, err
		}
		bills, vendors = append(bills, r), append(vendors, vendor)
	}
	f, err := p.common(ctx)
	if err != nil {
		return purchasing.Voucher{}, err
	}
	number, err := purchasing.NextNumber(ctx, p.tx)
	if err != nil {
		return purchasing.Voucher{}, err
	}
	d, err := purchasing.DecidePayment(said, bills, vendors, number, f)
	if err != nil {
		return purchasing.Voucher{}, err
	}
	return p.writer.Pay(ctx, d, number)
}

// document finds a bill by its vendor and number.
func document(ctx context.Context, r store.Reader, ref purchasing.Ref) (purchasing.Recorded, int64, error) {
	var v purchasing.Vendor
	var err error
	if ref.Vendor != "" {
		if v, err = purchasing.VendorNamed(ctx, r, ref.Vendor); err != nil {
			return purchasing.Recorded{}, 0, err
		}
	}
	d, err := purchasing.Newest(ctx, r, v.ID, ref.Number)
	if err != nil {
		return purchasing.Recorded{}, 0, err
	}
	if d == nil {
		return purchasing.Recorded{}, 0, fault.New(fault.NotFound, "see: comptoir bill list", "no bill %s is known", ref)
	}
	return *d, v.ID, nil
}

// Bills returns the documents that a filter chooses, by date.
func (b *Books) Bills(ctx context.Context, f purchasing.Filter) ([]purchasing.Recorded, error) {
	if f.Vendor != "" {
		if _, err := purchasing.VendorNamed(ctx, b.db, f.Vendor); err != nil {
			return nil, err
		}
	}
	return purchasing.Documents(ctx, b.db, f)
}

// BillOf returns a bill, a credit or a cash purchase with its lines and what
// was paid of it.
func (b *Books) BillOf(ctx context.Context, ref purchasing.Ref) (d purchasing.Recorded, err error) {
	err = b.db.Read(ctx, func(r store.Reader) error {
		if d, _, err = document(ctx, r, ref); err != nil {
			return err
		}
		return d.Complete(ctx, r)
	})
	return d, err
}

// ReverseBill takes back a bill, a credit or a cash purchase on a day: its
// entry, its goods and its tax. What was paid of it must be taken back first.
// Its number can be entered again.
func (b *Books) ReverseBill(ctx context.Context, ref purchasing.Ref, day, reason string) (d purchasing.Recorded, err error) {
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		if d, _, err = document(ctx, tx, ref); err != nil {
			return err
		}
		if err := d.Complete(ctx, tx); err != nil {
			return err
		}
		if err := d.Reversible(day); err != nil {
			return fmt.Errorf("reverse %s: %w", ref, err)
		}
		p := b.openPurchases(tx)
		if err := p.writer.ReverseDocument(ctx, d, day, reason); err != nil {
			return fmt.Errorf("reverse %s: %w", ref, err)
		}
		d.Reversed, d.Open, d.HomeOpen = day, 0, 0
		return p.flush(ctx)
	})
	return d, err
}

// Vouchers returns all payments by number.
func (b *Books) Vouchers(ctx context.Context) ([]purchasing.Voucher, error) {
	return purchasing.Vouchers(ctx, b.db)
}

// Voucher returns a payment by its number.
func (b *Books) Voucher(ctx context.Context, number string) (purchasing.Voucher, error) {
	return voucher(ctx, b.db, number)
}

func voucher(ctx context.Context, r store.Reader, number string) (purchasing.Voucher, error) {
	v, err := purchasing.VoucherNumbered(ctx, r, number)
	if err != nil {
		return purchasing.Voucher{}, err
	}
	if v == nil {
		return purchasing.Voucher{}, fault.New(fault.NotFound, "see: comptoir voucher list", "no payment voucher %q is known", number)
	}
	return *v, nil
}

// ReverseVoucher takes back a payment on a day; its bills are open again. The
// voucher is kept.
func (b *Books) ReverseVoucher(ctx context.Context, number, day, reason string) (v purchasing.Voucher, err error) {
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		if v, err = voucher(ctx, tx, number); err != nil {
			return err
		}
		if err := v.Reversible(day); err != nil {
			return fmt.Errorf("reverse %s: %w", number, err)
		}
		p := b.openPurchases(tx)
		if err := p.writer.ReverseVoucher(ctx, v, day, reason); err != nil {
			return fmt.Errorf("reverse %s: %w", number, err)
		}
		v.Reversed = day
		return p.flush(ctx)
	})
	return v, err
}

// Today is the business date of now, which documents have that state none.
func (b *Books) Today() string { return b.today() }
