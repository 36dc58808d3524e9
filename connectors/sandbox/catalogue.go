package sandbox

import "slices"

// category is a node of the category tree.
type category struct {
	id, parent  int64
	name, slug  string
	description string
	position    int
	modified    int64 // the shop states it only where the platform does
	meta        []metaEntry
	unseen      bool // in no sales channel: see product
	ruled       bool // a rule fills it, and nobody by hand; only where the platform has rules
}

// product groups variants. A simple product is itself the sellable unit: own.
type product struct {
	own      *variant // has the product's id; for a product with variations it is never sold, but may hold their stock
	title    string
	slug     string
	short    string
	in       []*category // never empty where the platform has a default
	visible  string      // publish, draft, pending, private or trash
	revision int         // moves with each edit of the text by hand
	written  bool        // the description is body rather than the shop's own text
	body     string      // HTML
	pictured bool        // the pictures are those of pictures rather than the shop's own
	pictures []picture
	axes     []axis
	variants []*variant // variations, in order of id

	// What follows is told by Shopify alone.
	vendor string // "": the shop's own
	tags   []string
	unseen bool // in no sales channel: an app made it, and has not published it
}

// picture is an image of a product. The first of a product is its main one.
type picture struct {
	id, created int64
	src, alt    string // src is a URL, or an address on the shop's own site
}

// metaEntry is metadata that an app keeps with a record.
type metaEntry struct {
	id    int64
	key   string
	value string // JSON
}

// keep keeps metadata, in place of that of the same key.
func (s *Shop) keep(all []metaEntry, key, value string) []metaEntry {
	for i := range all {
		if all[i].key == key {
			all[i].value = value
			return all
		}
	}
	return append(all, metaEntry{s.items(1), key, value})
}

// isIn reports whether the product is in a category.
func (p *product) isIn(c *category) bool { return slices.Contains(p.in, c) }

// listed reports whether the product is neither deleted nor trashed.
func (p *product) listed() bool { return !p.own.gone && p.visible != "trash" }

// forSale reports whether customers find the product in the shop.
func (p *product) forSale() bool { return p.listed() && p.visible == "publish" && !p.unseen }

// axis is a dimension of choice: size, colour.
type axis struct {
	attribute  int64 // id of the shop-wide attribute; 0 for one of this product alone
	name, slug string
	values     []string
}

// variant is a sellable unit, or the stock that several share.
type variant struct {
	id                int64
	of                *product
	sku               string
	options           []string // one for each axis of the product
	class             taxClass
	price, sale       int64 // cents of the shop's currency; sale 0: none
	cost              int64 // cents; 0: unknown
	costInMeta        bool  // kept by a plugin rather than by the platform
	virtual, download bool
	gift              bool
	tip               bool // no goods at all
	tracked           bool
	pool              *variant // holds the stock in place of this one
	stock             int64
	given             int64  // stock that did not come from orders; stock = given - held by orders
	backorders        string // no, notify, yes
	grams             int
	weighed           string // the weight as it was written, in the shop's unit; "": that of grams
	coded             bool   // the barcode is gtin rather than the shop's own
	gtin              string
	unpriced          bool   // has no price at all
	saleFrom, saleTo  int64  // 0: no such end
	resting           bool   // its sale price does not hold now
	refused           string // what an uncounted one says of its stock: outofstock or onbackorder; "": instock
	meta              []metaEntry
	created, modified int64
	changed           int64 // when the variant itself last changed: its price, not its stock
	counted           int64 // when its stock last changed
	aside             int64 // how much of the stock lies at the second location
	gone              bool  // deleted for good

	// What follows is told by Shopify alone.
	was      int64   // cents of a price for comparison that is no higher than the price; 0: none
	scale    *weight // the weight as it was written, in its unit; nil: that of grams
	homeOnly bool    // not stocked at the second location
}

// holder is the variant that counts the stock of v.
func (v *variant) holder() *variant {
	if v.pool != nil {
		return v.pool
	}
	return v
}

// asks is the price that a customer pays, in cents.
func (v *variant) asks() int64 {
	if v.reduced() {
		return v.sale
	}
	return v.price
}

// reduced reports whether a sale price holds now.
func (v *variant) reduced() bool { return v.sale > 0 && !v.resting }

// shownSKU is the SKU that the shop states: a variation without one shows its
// product's.
func (v *variant) shownSKU() string {
	if v.sku == "" && v != v.of.own {
		return v.of.own.sku
	}
	return v.sku
}

// touch dates a change. A variation's change moves its product too.
func (v *variant) touch(at int64) {
	v.changed = at
	v.move(at)
}

// recount dates a change of the stock alone. What it moves depends on the
// platform: one dates the variant, another its stock; both date the product.
func (v *variant) recount(at int64) {
	v.counted = at
	v.move(at)
}

func (v *variant) move(at int64) {
	v.modified = at
	v.of.own.modified = at
}

// coupon is a discount code.
type coupon struct {
	id                int64
	code              string
	kind              string // percent, fixed_cart, fixed_product
	amount            int64  // hundredths: of a per cent, or of the currency
	free              bool   // shipping is free
	expires           int64  // 0: never
	limit             int    // 0: none
	used              int
	revision          int
	created, modified int64
}

// customer is a registered buyer.
type customer struct {
	id                int64
	who               person
	admin, gone       bool
	created, modified int64 // modified 0: the shop does not say
	paying            bool
}

// person is who buys and where they live; the words are in the tables below.
type person struct {
	first, last, place, company uint8 // company 0: none
	house                       uint16
	no                          uint32 // makes the e-mail address unique
}

type place struct {
	country, region, city, postcode, street string
}

type taxClass uint8

const (
	standard taxClass = iota
	reduced
	intermediate
	superReduced
	zeroRated
	untaxed
)

type taxRate struct {
	id              int64
	country, region string
	ppm             int64
	name            string
	priority        int
	compound        bool // on top of the rates before it
	shipping        bool // applies to shipping too
	class           taxClass
}

// The shop's tax rates: France, Germany, California with a compound district
// rate, Quebec.
var taxRates = [...]taxRate{
	{1, "FR", "", 200_000, "TVA 20%", 1, false, true, standard},
	{2, "FR", "", 55_000, "TVA 5,5%", 1, false, true, reduced},
	{3, "DE", "", 190_000, "MwSt. 19%", 1, false, true, standard},
	{4, "DE", "", 70_000, "MwSt. 7%", 1, false, true, reduced},
	{5, "US", "CA", 72_500, "CA State Tax", 1, false, false, standard},
	{6, "US", "CA", 15_000, "CA District (compound)", 2, true, false, standard},
	{7, "CA", "", 50_000, "GST", 1, false, true, standard},
	{8, "CA", "QC", 99_750, "QST", 2, false, true, standard},
	{9, "FR", "", 100_000, "TVA 10%", 1, false, true, intermediate},
	{10, "FR", "", 21_000, "TVA 2,1%", 1, false, true, superReduced},
}

type currency struct {
	code, symbol string
	ppm          int64 // units for one million EUR
	planted      bool  // on purpose in no one's list of rates
}

// The first is the shop's own. Amounts keep the shop's two decimals in all.
var currencies = [...]currency{
	{"EUR", "€", 1_000_000, false},
	{"USD", "$", 1_090_000, false},
	{"GBP", "£", 860_000, false},
	{"JPY", "¥", 163_500_000, false},
	{"ISK", "kr.", 149_000_000, true},
	{"ZZZ", "", 1_000_000, true},
}

const (
	eur = iota
	usd
	gbp
	jpy
	isk
	zzz
)

type gateway struct{ code, title, method string }

var gateways = [...]gateway{
	{"bacs", "Virement bancaire", "Direct bank transfer"},
	{"cheque", "Chèque", "Check payments"},
	{"cod", "Paiement à la livraison", "Cash on delivery"},
	{"stripe", "Carte bancaire (Stripe)", "Stripe"},
	{"paypal", "PayPal", "PayPal"},
	{"", "", ""}, // nothing chosen: drafts, and orders that a gift card pays in full
}

const (
	payTransfer = iota
	payCheque
	payDelivery
	payStripe
	payPayPal
	payNothing
)

type shippingMethod struct {
	instance, zone int
	code, title    string
	cents          int64
}

var shippingMethods = [...]shippingMethod{
	{1, 1, "flat_rate", "Forfait France", 490},
	{2, 2, "flat_rate", "Forfait Union européenne", 990},
	{3, 3, "flat_rate", "Forfait Amérique du Nord", 1900},
	{4, 1, "local_pickup", "Retrait à l’atelier", 0},
	{5, 1, "free_shipping", "Livraison offerte", 0},
	{6, 0, "flat_rate", "Reste du monde", 2500},
}

var shippingZones = [...]struct {
	name      string
	countries []string
}{
	{"Locations not covered by your other zones", nil},
	{"France", []string{"FR"}},
	{"Union européenne", []string{"DE", "BE"}},
	{"Amérique du Nord", []string{"US", "CA"}},
}

// The first places are chosen most.
var places = [...]place{
	{"FR", "", "Saint-Étienne", "42000", "rue de l’Exemple"},
	{"FR", "", "Paris", "75011", "passage Fictif"},
	{"FR", "", "Nîmes", "30000", "avenue Inventée"},
	{"FR", "", "Lyon", "69007", "quai des Échantillons"},
	{"DE", "DE-NW", "Köln", "50667", "Musterstraße"},
	{"DE", "DE-BE", "Berlin", "10115", "Beispielweg"},
	{"US", "CA", "Testville", "94016", "Sample St"},
	{"CA", "QC", "Montréal", "H2X 1Y4", "rue Fictive"},
	{"BE", "", "Liège", "4000", "place Supposée"},
	{"GB", "", "Sampleford", "ZZ1 1ZZ", "Specimen Lane"},
	{"JP", "JP13", "東京都", "100-0000", "見本町"},
}

var placeWeights = []int{250, 220, 120, 110, 80, 50, 60, 40, 30, 25, 15}

var firstNames = [...]string{"Zoë", "Łukasz", "Ümit", "Ольга", "太郎", "Aïcha", "Élodie", "Jürgen", "Noël", "Seán", "Chloé", "Mikołaj",
	"İpek", "Anaïs", "Björn", "Renée", "José", "Νίκος", "Inès", "Óscar"}

var lastNames = [...]string{"Exemple", "Inventé", "Muster-Mann", "Тестова", "テスト", "d’Échantillon", "O’Sample", "Fictif", "Beispiel",
	"Müller-Probe", "Núñez", "Łąka", "Supposé", "Δείγμα", "Specimen", "Æbleskive"}

// The first means none.
var companies = [...]string{"", "SARL Fictive & Cie", "Muster GmbH", "Ateliers de l’Exemple", "\"Sample\" Holdings <Inc.>", "Échoppe & Fils"}

// The first means none.
var notes = [...]string{"", "Livrer <b>avant</b> midi — merci 🙏\nligne 2", "Sonner chez « Exemple »", "Bitte klingeln, 2. Stock",
	"プレゼント用に包装してください", "Code porte: 12/34\\56"}

// The first means none.
var reasons = [...]string{"", "Article abîmé", "Geste commercial", "Taille trop petite", "Order fully refunded.", "Retour client – \"déçu\""}

// byStatus is the reason of a refund that the platform adds by itself.
const byStatus = 4
