// Package crm keeps the contacts: who buys, and where they live. One e-mail is
// one contact; a phone or a name alone never makes two people one. A guest
// without an e-mail has no contact: the order keeps its own snapshot.
package crm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/store"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Contact is a person or company.
type Contact struct {
	ID        int64
	Email     string // folded, see Fold
	Account   bool   // it has an account in a shop, whose data win over a guest's
	addresses map[string]bool
}

// Fold brings an e-mail address into the form in which equal ones are equal.
// It returns "" for what is no address.
func Fold(email string) string {
	email = strings.TrimSpace(email)
	at := strings.LastIndexByte(email, '@')
	if at <= 0 || at == len(email)-1 {
		return ""
	}
	return cases.Fold().String(norm.NFC.String(email))
}

// Book finds and makes the contacts of one transaction.
type Book struct {
	tx    *store.Tx
	now   time.Time
	known map[string]*Contact
}

// Open reads the contacts that have one of the e-mails.
func Open(ctx context.Context, tx *store.Tx, now time.Time, emails []string) (*Book, error) {
	b := &Book{tx: tx, now: now, known: map[string]*Contact{}}
	folded := make([]string, 0, len(emails))
	for _, e := range emails {
		if f := Fold(e); f != "" {
			folded = append(folded, f)
		}
	}
	if len(folded) == 0 {
		return b, nil
	}
	rows, err := tx.Query(ctx, `SELECT c.id, c.email, c.account, COALESCE(a.digest, '') FROM contact c LEFT JOIN address a ON a.contact_id = c.id
		WHERE c.email IN (`+store.In(len(folded), 1)+`)`, store.InArgs(nil, folded)...)
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var c Contact
		var digest string
		if err := rows.Scan(&c.ID, &c.Email, &c.Account, &digest); err != nil {
			return nil, err
		}
		had := b.known[c.Email]
		if had == nil {
			had = &c
			had.addresses = map[string]bool{}
			b.known[c.Email] = had
		}
		had.addresses[digest] = true
	}
	return b, rows.Err()
}

// Meet returns the id of the contact of a customer, made where the books have
// none: 0 for one without an e-mail. Account says that the data come from the
// customer's own account.
func (b *Book) Meet(ctx context.Context, c intake.Customer, account bool) (int64, error) {
	email := Fold(c.Email)
	if email == "" {
		return 0, nil
	}
	had := b.known[email]
	if had == nil {
		id, err := b.tx.NewID(ctx)
		if err != nil {
			return 0, err
		}
		had = &Contact{ID: id, Email: email, Account: account, addresses: map[string]bool{}}
		b.known[email] = had
		b.tx.Queue(`INSERT INTO contact (id, email, first_name, last_name, company, phone, vat_number, account, first_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
			id, email, c.FirstName, c.LastName, c.Company, c.Phone, c.VATNumber, account, store.Micros(b.now))
	} else if account {
		had.Account = true
		b.tx.Queue(`UPDATE contact SET first_name=$2, last_name=$3, company=$4, phone=$5, vat_number=CASE WHEN $6 = '' THEN vat_number ELSE $6 END, account=TRUE WHERE id=$1`,
			had.ID, c.FirstName, c.LastName, c.Company, c.Phone, c.VATNumber)
	}
	b.address(had, "billing", c.Billing)
	b.address(had, "shipping", c.Shipping)
	return had.ID, nil
}

// address keeps an address of a contact, each once.
func (b *Book) address(c *Contact, kind string, a intake.Address) {
	if a.IsZero() {
		return
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{kind, a.FirstName, a.LastName, a.Company, a.Street1, a.Street2, a.City, a.Region, a.Postcode, a.Country, a.Phone}, "\x00")))
	digest := hex.EncodeToString(sum[:8])
	if c.addresses[digest] {
		return
	}
	c.addresses[digest] = true
	b.tx.Queue(`INSERT INTO address (contact_id, digest, kind, first_name, last_name, company, street1, street2, city, region, postcode, country, phone)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)`,
		c.ID, digest, kind, a.FirstName, a.LastName, a.Company, a.Street1, a.Street2, a.City, a.Region, a.Postcode, a.Country, a.Phone)
}
