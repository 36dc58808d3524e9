package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// generate fills the shop: its catalogue first, then its history, lived
// through from the first day to the last.
func (s *Shop) generate() {
	s.lastPost, s.lastItem = 30, 0
	s.makeCategories()
	s.makeProducts()
	s.makeCoupons()
	s.customers = append(s.customers, &customer{id: 1, admin: true, created: s.now(), who: person{first: 255}})
	s.planHistory()
	s.live(historyEnd)
}

func (s *Shop) makeCategories() {
	for i, c := range [...]struct {
		parent     int
		name, slug string
	}{
		{-1, "Uncategorized", "uncategorized"}, {-1, "Vêtements", "vetements"}, {1, "Hauts", "hauts"}, {2, "T-shirts", "t-shirts"},
		{1, "Accessoires", "accessoires"}, {-1, "Maison", "maison"}, {5, "Cuisine", "cuisine"}, {-1, "Épicerie fine", "epicerie-fine"},
		{-1, "Livres &amp; papeterie", "livres-papeterie"}, {-1, "Numérique", "numerique"},
	} {
		made := &category{id: int64(15 + i), name: c.name, slug: c.slug, position: i, modified: s.now()}
		if c.parent >= 0 {
			made.parent = s.categories[c.parent].id
		}
		s.categories = append(s.categories, made)
		s.lastCategory = made.id
	}
}

// The goods on the shelf: name, category, tax class, price in cents, grams.
var simpleGoods = [...]struct {
	title    string
	category int
	class    taxClass
	price    int64
	grams    int
}{
	{"Tasse en grès", 6, standard, 1450, 320}, {"Théière en fonte — 0,8 L", 6, standard, 4990, 1400}, {"Carnet ligné A5", 8, standard, 890, 180},
	{"Savon à l’argan", 5, standard, 650, 110}, {"Müsli-Schale „Alm“", 6, standard, 1299, 410}, {"Łyżka drewniana", 6, standard, 499, 60},
	{"抹茶 Matcha de cérémonie", 7, reduced, 2750, 40}, {"Ölkännchen", 6, standard, 1890, 300}, {"Huile d’olive Ελαιόλαδο 50 cl", 7, reduced, 1390, 900},
	{"Miel de châtaignier", 7, reduced, 990, 500}, {"Confiture d’abricot", 7, reduced, 580, 370}, {"Café de spécialité 250 g", 7, reduced, 1150, 250},
	{"Roman « L’Été »", 8, reduced, 2190, 350}, {"Guide de Köln", 8, reduced, 1490, 280}, {"Gazette du comptoir", 8, superReduced, 320, 90},
	{"Panier repas à emporter", 7, intermediate, 1680, 800}, {"Bois de chauffage — fagot", 5, intermediate, 2400, 5000}, {"Bougie à la cire", 5, standard, 1990, 240},
	{"Plaid mérinos", 5, standard, 8900, 1100}, {"Coussin brodé", 5, standard, 3490, 600}, {"Écharpe en laine", 4, standard, 4500, 200},
	{"Béret", 4, standard, 3900, 120}, {"Ceinture tressée", 4, standard, 3333, 220}, {"Sac « Cabas »", 4, standard, 2799, 350},
	{"Parapluie", 4, standard, 4250, 480}, {"Couteau de poche", 5, standard, 6400, 95}, {"Planche à découper", 6, standard, 2950, 900},
	{"Torchon & tablier", 6, standard, 2475, 260}, {"Moulin à poivre", 6, standard, 3199, 420}, {"Crayons aquarellables (24)", 8, standard, 2660, 310},
	{"Encre «nuit»", 8, standard, 1240, 130}, {"Affiche <A3>", 8, standard, 1500, 70}, {"Carte postale", 8, standard, 150, 5},
	{"Boîte à thé", 6, standard, 1375, 200}, {"Savonnette \"Rosée\"", 5, standard, 425, 90}, {"Sirop de sureau", 7, reduced, 795, 700},
	{"Atelier poterie (séance)", 9, standard, 5500, 0}, {"Cours de cuisine en ligne", 9, standard, 2900, 0}, {"Livre numérique « L’Été »", 9, reduced, 999, 0},
	{"Patron de couture (PDF)", 9, standard, 700, 0}, {"Lampe à huile (fin de série)", 5, standard, 3800, 700},
}

// indexes in simpleGoods that are special
const (
	firstVirtual, firstDownload, lastVirtual = 36, 38, 39
	discontinued                             = 40
	noSKU, alsoNoSKU, twin, otherTwin        = 5, 32, 2, 13
	backordered, notified, untracked         = 6, 17, 31
	drafted, hidden, binned                  = 34, 35, 16
	onSale, alsoOnSale                       = 10, 23
)

// leftOut are the indexes in simpleGoods of what a Shopify shop does not sell,
// unless it has a history in common with another.
var leftOut = []int{3, 8, 20, 27}

// ownGoods are what it sells instead.
var ownGoods = [...]struct {
	title, sku string
	category   int
	price      int64
	grams      int
}{
	{"Vase soliflore", "OWN-001", 5, 3250, 700}, {"Papier à lettres", "OWN-002", 8, 1180, 240}, {"Sablier — 3 minutes", "OWN-003", 6, 990, 80},
}

// ownRange reports whether the shop's range is not quite the other's.
func (s *Shop) ownRange() bool { return s.onShopify() && !s.opt.Common }

func (s *Shop) makeOwnGoods() {
	for i, g := range ownGoods {
		d := s.goodsDice(int64(400 + i))
		p := s.newProduct(g.title, s.categories[g.category])
		p.own.class, p.own.price, p.own.grams, p.own.sku = standard, g.price, g.grams, g.sku
		s.setCost(p.own, i, d)
		s.fill(p.own, d)
		s.sellable = append(s.sellable, p.own)
	}
}

// pools reports whether the variants of a product may share one stock.
func (s *Shop) pools() bool { return !s.opt.Common && !s.onShopify() }

var variableGoods = [...]struct {
	title, sku     string
	category       int
	price          int64
	sizes, colours []string
	pooled         bool
}{
	{"T-shirt « Comptoir »", "TS-COM", 3, 1990, []string{"S", "M", "L", "XL"}, []string{"Bleu", "Écru"}, false},
	{"T-shirt rayé", "TS-RAY", 3, 2490, []string{"S", "M", "L"}, []string{"Rouge", "Bleu"}, true},
	{"Chemise en lin", "CH-LIN", 2, 6990, []string{"S", "M", "L"}, []string{"Blanc", "Écru"}, false},
	{"Pull marin", "PU-MAR", 2, 7950, []string{"S", "M", "L", "XL"}, []string{"Marine"}, false},
	{"Chaussettes", "CS", 4, 950, []string{"36-39", "40-43"}, []string{"Gris", "Grün", "Красный"}, false},
	{"Tablier d’artisan", "TA-ART", 6, 4200, []string{"M", "L"}, []string{"Denim", "Noir"}, false},
	{"Bonnet", "BN", 4, 2199, []string{"Unique"}, []string{"Jaune", "Noir", "Écru"}, true},
	{"Veste de travail", "VT", 1, 11900, []string{"S", "M", "L"}, []string{"Bleu"}, false},
	{"Gants", "GA", 4, 2850, []string{"S", "M", "L"}, []string{"Cuir"}, false},
	{"Foulard (fin de série)", "FO", 4, 3650, []string{"Unique"}, []string{"Rosé", "Vert"}, false},
}

func (s *Shop) makeProducts() {
	for i, g := range simpleGoods {
		if s.ownRange() && slices.Contains(leftOut, i) {
			continue
		}
		d := s.goodsDice(int64(100 + i))
		p := s.newProduct(g.title, s.categories[g.category])
		v := p.own
		v.class, v.price, v.grams = g.class, g.price, g.grams
		v.sku = fmt.Sprintf("SMP-%03d", i+1)
		s.setCost(v, i, d)
		s.fill(v, d)
		switch i {
		case noSKU, alsoNoSKU:
			v.sku = ""
		case twin, otherTwin:
			v.sku = "DUP-001" // two products, one SKU: nobody can match by it
		case backordered:
			v.backorders = "yes"
		case notified:
			v.backorders = "notify"
		case untracked:
			v.tracked, v.stock, v.given = false, 0, 0
		case drafted:
			p.visible = "draft"
		case hidden:
			p.visible = "private"
		case binned:
			p.visible = "trash"
		case onSale, alsoOnSale:
			v.sale = v.price * 80 / 100
		}
		if i >= firstVirtual && i <= lastVirtual {
			v.virtual, v.tracked, v.stock, v.given = true, false, 0, 0
			v.download = i >= firstDownload
		}
		if i == discontinued {
			s.retiring = append(s.retiring, p)
		}
		if p.visible == "publish" {
			s.sellable = append(s.sellable, v)
		}
	}
	if s.ownRange() {
		s.makeOwnGoods()
	}
	for i, g := range variableGoods {
		s.makeVariable(i, g.title, g.sku, s.categories[g.category], g.price, g.sizes, g.colours, g.pooled)
	}
	s.retiring = append(s.retiring, s.products[len(s.products)-1])
	p := s.newProduct("Carte cadeau", s.categories[0])
	p.own.sku, p.own.price, p.own.virtual, p.own.gift, p.own.class = "GIFT", 5000, true, true, untaxed
	s.giftCard = p.own
	for i := range s.opt.Range {
		s.makeArticle(i)
	}
}

// makeArticle makes one of the articles that Options.Range asks for.
func (s *Shop) makeArticle(i int) {
	no := zeros(int64(i+1), 5)
	d := s.goodsDice(1_000 + int64(i))
	p := s.newProduct("Article "+no, s.categories[5])
	p.own.class, p.own.price, p.own.grams, p.own.sku = standard, int64(d.between(100, 9_000)), 50+i%900, "ART-"+no
	s.fill(p.own, d)
	s.sellable = append(s.sellable, p.own)
}

func (s *Shop) makeVariable(i int, title, sku string, in *category, price int64, sizes, colours []string, pooled bool) {
	d, more := s.goodsDice(int64(200+i)), s.goodsDice(int64(300+i))
	p := s.newProduct(title, in)
	p.own.sku, p.own.price = sku, price
	if pooled {
		s.fill(p.own, d)
	}
	if pooled && !s.pools() { // what was drawn for the pool is not used
		p.own.tracked, p.own.stock, p.own.given = false, 0, 0
	}
	p.axes = []axis{{1, "Taille", "pa_taille", sizes}, {0, "Couleur", "couleur", colours}}
	for a, size := range sizes {
		for b, colour := range colours {
			v := &variant{id: s.post(), of: p, options: []string{size, colour}, price: price + int64(a)*100, grams: 250 + 20*a,
				sku: fmt.Sprintf("%s-%s-%s", sku, size, strings.ToUpper(string([]rune(colour)[:1]))), backorders: "no",
				created: s.now(), modified: s.now(), changed: s.now()}
			if a == len(sizes)-1 && b == 0 && i%4 == 1 {
				v.sku = "" // shows its product's
			}
			s.setCost(v, i+a+b, d)
			switch {
			case pooled && s.pools():
				v.pool = p.own
			case pooled:
				s.fill(v, more)
			default:
				s.fill(v, d)
			}
			p.variants = append(p.variants, v)
			s.sellable = append(s.sellable, v)
		}
	}
}

func (s *Shop) newProduct(title string, in *category) *product {
	p := &product{title: title, slug: slug(title), short: "Article de démonstration.", in: s.below(in), visible: "publish"}
	p.own = &variant{id: s.post(), of: p, backorders: "no", created: s.now(), modified: s.now(), changed: s.now()}
	s.products = append(s.products, p)
	return p
}

// setCost gives three in four a cost, of which one in three by a plugin.
func (s *Shop) setCost(v *variant, i int, d *dice) {
	if i%4 == 3 {
		return
	}
	v.cost = v.price * int64(d.between(30, 60)) / 100
	v.costInMeta = i%3 == 1 || s.release.before(9, 5)
}

func (s *Shop) fill(v *variant, d *dice) {
	v.tracked = true
	v.stock = int64(d.between(20, 120))
	v.given = v.stock
	v.aside = v.stock % 4 * 5 / 3
	v.counted = s.now()
}

// slug keeps what is safe in a URL.
func slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case strings.ContainsRune("éèêë", r):
			b.WriteByte('e')
		case strings.ContainsRune("àâä", r):
			b.WriteByte('a')
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

func (s *Shop) makeCoupons() {
	for _, c := range [...]coupon{
		{code: "dix-pourcent", kind: "percent", amount: 1000},
		{code: "moins5", kind: "fixed_cart", amount: 500},
		{code: "produit2", kind: "fixed_product", amount: 200},
		{code: "été 2026", kind: "percent", amount: 3333, limit: 100_000},
		{code: "port-offert", kind: "percent", free: true},
		{code: "expire", kind: "percent", amount: 5000, expires: time.Date(2024, time.December, 31, 23, 0, 0, 0, time.UTC).Unix()},
	} {
		c.id, c.created, c.modified = s.post(), s.now(), s.now()
		s.coupons = append(s.coupons, &c)
	}
}

// planHistory puts every order of the history on the agenda, more of them by
// day than by night and some in the same second, and the shop's own routine
// beside them.
func (s *Shop) planHistory() {
	span := historyEnd.Unix() - historyStart.Unix() - 7200
	arrivals := make([]step, s.opt.Orders)
	last := historyStart.Unix()
	for i := range arrivals {
		d := s.dice(dieDay, int64(i))
		at := historyStart.Unix() + 3600 + span*int64(i)/int64(max(1, s.opt.Orders))
		if hour := at / 3600 % 24; hour < 5 && d.in(800) {
			at += int64(d.between(5, 12)) * 3600 // few buy at night
		}
		at += int64(d.n(900))
		if i%23 == 7 {
			at = last
		}
		at = min(at, historyEnd.Unix())
		arrivals[i] = step{at: at, do: doArrive}
		last = at
	}
	s.agenda.addAll(arrivals)
	s.plan(historyEnd.Unix()+int64(s.dice(dieDay, -1).between(60, 900)), doArriveLive, 0)
	s.plan(historyStart.Unix()+6*3600, doOpenShop, 0)
	if s.opt.Common {
		return
	}
	for i, p := range s.retiring {
		s.plan(historyStart.Unix()+int64(200+40*i)*86400, doDiscontinue, p.own.id)
	}
}
