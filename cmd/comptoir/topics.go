package main

import (
	"fmt"
	"strings"

	"comptoir/connectors/sandbox"

	"github.com/spf13/cobra"
)

// topics are the pages of help that belong to no verb.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "exit-codes", Short: "What the exit codes mean", Long: exitHelp},
		{Use: "configuration", Short: "Where the configuration comes from", Long: configHelp},
		{Use: "backup", Short: "What to back up, and how to restore it", Long: backupHelp},
		{Use: "several-shops", Short: "How shops share goods and stock", Long: severalShopsHelp},
		{Use: "pushing", Short: "What is sent to the shops, and who decides on what", Long: pushingHelp},
		{Use: "faults", Short: "How the sandbox can misbehave", Long: faultHelp()},
	}
}

func faultHelp() string {
	var b strings.Builder
	b.WriteString("The sandbox misbehaves with --misbehave FAULT, once for each fault:\n\n")
	for _, f := range sandbox.FaultNames() {
		fmt.Fprintf(&b, "    %-13s %s\n", f.Name, f.Help)
	}
	b.WriteString("\nSettings follow the name after colons: path=/orders limits it to requests of that\n" +
		"path, after=N lets N pass first, count=N ends it after N hits, chance=0.1 hits some.\n" +
		"For example: comptoir sandbox --misbehave 429:count=3:retry-after=2\n")
	return b.String()
}

const configHelp = `The configuration is one YAML file: that of --config, or of COMPTOIR_CONFIG, or
comptoir.yaml in the working directory, in your configuration directory
(comptoir/ in XDG_CONFIG_HOME, or .config), or in /etc/comptoir.

Every key is explained by: comptoir config example
What is in force is shown by: comptoir config show

A flag wins over the environment, the environment over the file, the file over
the default. The environment variable of a key is its path in capitals after
COMPTOIR_, such as COMPTOIR_BOOKS_CURRENCY or COMPTOIR_SHOPS_ATELIER_URL.

A secret is written as env:NAME, file:PATH or credential:NAME (a systemd
credential), or stands in the file itself. It is never printed.
`

const severalShopsHelp = `Goods that several shops sell are one in the books, with one stock. They are
recognised by their SKU, letter by letter, where exactly one variant of each
shop has it; without a SKU by their barcode. What would have to be guessed about
stays apart, and sync names it: link export writes it to a file with proposals,
and link import does what a person decided in it. Where one shop has a SKU on
several records, each of them keeps a stock of its own, and none but the one that
is linked is told the common stock: status and link export --proposals name them
until all but one have another SKU, or are gone.

Of goods that are shared, the shop that stands first in the configuration gives
the texts and prices, and its number is taken over as the opening stock. After
that it is followed: a difference that its own orders do not explain becomes an
adjustment (see owners.stock). What the other shops sell is taken off the
stock; their own numbers are kept and not booked. What they had sold before
the stock was taken over is added to the opening, since it had left by then.

New goods wait until the products of all shops were read once: money is booked
at once, goods when it is clear what they are. A shop that refuses to be read is
not waited for.

Taking a shop out of the configuration leaves all that is booked as it is.
`

const pushingHelp = `Nothing is sent to a shop until push.enabled is true for it. Then each field has
an owner, shop or erp (see owners in: comptoir config example). What the shop
owns is taken over from it and never sent. What erp owns, the books decide on: it
is changed here, and sent. Stock and shipments are the books' then, all else is
the shop's until you say otherwise.

    comptoir push SHOP --all --dry-run     what would be sent, field by field
    comptoir push SHOP --plan FILE         the same as a file, for a person to read
    comptoir push --apply FILE             sends just that, if nothing has moved since
    comptoir push SHOP                     sends what has changed in the books
    comptoir outbox list                   what waits, and what a shop refused

A plan is whole: what is to be made has no id yet and is called new:NAME in it,
also where something depends on it, such as a product's new category. What both
sides have changed is in it as a conflict, and is not sent.

The daemon sends by itself, within seconds. What a shop has acknowledged is
remembered, so what it has already is not sent again, and what comes back from it
is known for our own.

Stock: what can be sold is what is on hand less what open orders want and the
safety stock; share and cap limit what one shop is told. The orders of a shop are
read before it is told a number. Shopify compares before it sets, so no sale is
overwritten. WooCommerce cannot: a sale in the moment between reading and writing
is; how long that moment was, and what was sold in it, report stock shows.

Prices: a price is in the currency of the shop that stands first among those that
sell the article, and goes to shops of that currency only. A shop that sells in
another one keeps its own prices, whoever owns them by the configuration, and an
article is not made there: make it by hand, with a price, under the same SKU.

Where both the books and the shop have changed a field since they last agreed,
nobody guesses: conflict list shows it, conflict keep says which side counts.

A product is made in another shop by product publish. Later variants of a product
that several shops have are made by themselves where the books own the prices, and
where they have made the product; product publish again makes those that a shop
lacks. What does not fit beside the variants that a shop has is refused: a product
without choices gets none, and different choices are not translated. Of the
catalogue and the stock, what a shop refuses is told again some times, each time
later, and is then parked: outbox list says why, and outbox retry tells it at once.

What a shop is asked to do with one order (shipment add, order cancel, refund,
status) it is asked in the order in which it was entered. While the shop cannot be
reached, a request waits, and the later ones of its order with it. A request that
the shop refuses is parked at once, and the later ones go on: outbox list says why,
outbox retry asks again, outbox drop leaves it. A request of which it is not known
whether it was done is parked too, but the later ones wait, and --all leaves it:
look at the order in the shop, then name the request to outbox retry or drop.

Webhooks (webhooks.listen, webhooks.url) shorten the wait. What they say is not
believed: the record is read from the shop, as ever.

Several daemons may share one PostgreSQL database, each with a data directory of
its own: one of them syncs a shop, the others stand by and pass its webhooks on.
`

const backupHelp = `Two files matter, both in the data directory:

    books.sqlite     The books. Back up these. A copy of the file alone is good
                     only while nothing writes: stop the daemon first, or use
                     sqlite3 books.sqlite ".backup copy.sqlite".
    syncstate.bolt   How far each shop was read. It need not be backed up.

To restore, stop the daemon, put the older books.sqlite in place, remove
books.sqlite-wal and books.sqlite-shm, and start it again. The books know how
far they had come; what came after is read again, each record once. The
syncstate file may stay, be older, or be gone.

With PostgreSQL the books are in the database: use pg_dump and pg_restore.
`
