package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"
)

// settings serves the small endpoints: what the shop is set up to do. Nil: not
// one of them.
func (c *call) settings(parts []string) *reply {
	if len(parts) > 4 {
		return nil
	}
	at := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	switch {
	case at(0) == "":
		return c.index()
	case at(0) == "system_status" && len(parts) == 1:
		return c.one(func(e *encoder) { e.writeSystem(c.s) })
	case at(0) == "taxes" && at(1) == "classes" && len(parts) == 2:
		return c.all(func(e *encoder) { e.writeTaxClasses() })
	case at(0) == "payment_gateways":
		return c.gateways(at(1))
	case at(0) == "settings" && slices.Contains([]string{"general", "products", "tax"}, at(1)):
		return c.options(at(1), at(2))
	case at(0) == "shipping" && at(1) == "zones":
		return c.zones(at(2), at(3))
	case at(0) == "shipping_methods" && len(parts) == 1:
		return c.all(func(e *encoder) { e.writeMethodKinds() })
	}
	return nil
}

func (c *call) one(write func(*encoder)) *reply {
	e := c.encoder()
	write(e)
	return jsonReply(http.StatusOK, e.b)
}

func (c *call) all(write func(*encoder)) *reply {
	return c.one(func(e *encoder) {
		e.open('[')
		write(e)
		e.close(']')
	})
}

func (e *encoder) writeTaxClasses() {
	for _, class := range wooClasses() {
		slug, name := wooClass(class), ""
		switch class {
		case standard:
			slug, name = "standard", "Standard rate"
		case reduced:
			name = "Reduced rate"
		case zeroRated:
			name = "Zero rate"
		case intermediate:
			name = "Intermediate rate"
		case superReduced:
			name = "Super reduced rate"
		}
		e.start()
		e.str("slug", slug)
		e.str("name", name)
		e.object("_links", func() { e.href("collection", wooRoot+"/taxes/classes") })
		e.close('}')
	}
}

func (c *call) gateways(id string) *reply {
	known := gateways[:payNothing]
	if id == "" {
		return c.all(func(e *encoder) {
			for i := range known {
				e.writeGateway(&known[i], i)
			}
		})
	}
	i := slices.IndexFunc(known, func(g gateway) bool { return g.code == id })
	if i < 0 {
		return failure(http.StatusNotFound, "woocommerce_rest_payment_gateway_invalid", "Resource does not exist.")
	}
	return c.one(func(e *encoder) { e.writeGateway(&known[i], i) })
}

func (e *encoder) writeGateway(g *gateway, order int) {
	e.start()
	e.str("id", g.code)
	e.str("title", g.title)
	e.str("description", "")
	e.int("order", int64(order))
	e.bool("enabled", true)
	e.str("method_title", g.method)
	e.str("method_description", "")
	e.raw("method_supports", `["products"]`)
	e.raw("settings", "{}")
	e.object("_links", func() {
		e.href("self", wooRoot+"/payment_gateways/"+g.code)
		e.href("collection", wooRoot+"/payment_gateways")
	})
	e.close('}')
}

type option struct{ id, label, kind, value string }

func generalOptions() []option {
	return []option{
		{"woocommerce_store_address", "Address line 1", "text", "1 rue de l’Exemple"},
		{"woocommerce_store_address_2", "Address line 2", "text", ""},
		{"woocommerce_store_city", "City", "text", "Saint-Étienne"},
		{"woocommerce_default_country", "Country / State", "select", "FR"},
		{"woocommerce_store_postcode", "Postcode / ZIP", "text", "42000"},
		{"woocommerce_allowed_countries", "Selling location(s)", "select", "all"},
		{"woocommerce_all_except_countries", "Sell to all countries, except for&hellip;", "multiselect", ""},
		{"woocommerce_specific_allowed_countries", "Sell to specific countries", "multiselect", ""},
		{"woocommerce_ship_to_countries", "Shipping location(s)", "select", ""},
		{"woocommerce_specific_ship_to_countries", "Ship to specific countries", "multiselect", ""},
		{"woocommerce_default_customer_address", "Default customer location", "select", "base"},
		{"woocommerce_address_autocomplete_enabled", "", "checkbox", "no"},
		{"woocommerce_calc_taxes", "Enable taxes", "checkbox", "yes"},
		{"woocommerce_enable_coupons", "Enable coupons", "checkbox", "yes"},
		{"woocommerce_calc_discounts_sequentially", "", "checkbox", "no"},
		{"woocommerce_currency", "Currency", "select", currencies[eur].code},
		{"woocommerce_currency_pos", "Currency position", "select", "right_space"},
		{"woocommerce_price_thousand_sep", "Thousand separator", "text", ""},
		{"woocommerce_price_decimal_sep", "Decimal separator", "text", ","},
		{"woocommerce_price_num_decimals", "Number of decimals", "number", "2"},
	}
}

func (s *Shop) productOptions() []option {
	return []option{
		{"woocommerce_shop_page_id", "Shop page", "select", ""},
		{"woocommerce_cart_redirect_after_add", "Add to cart behaviour", "checkbox", "no"},
		{"woocommerce_enable_ajax_add_to_cart", "", "checkbox", "yes"},
		{"woocommerce_placeholder_image", "Placeholder image", "text", ""},
		{"woocommerce_weight_unit", "Weight unit", "select", s.weightUnit()},
		{"woocommerce_dimension_unit", "Dimensions unit", "select", "cm"},
		{"woocommerce_enable_reviews", "Enable reviews", "checkbox", "yes"},
		{"woocommerce_manage_stock", "Manage stock", "checkbox", "yes"},
		{"woocommerce_hold_stock_minutes", "Hold stock (minutes)", "number", "60"},
	}
}

// weightUnit is what a WooCommerce shop weighs in, by the name that it has there.
func (s *Shop) weightUnit() string { return cmp.Or(s.opt.WeightUnit, "kg") }

// gramsEach are how many grams that unit has.
func (s *Shop) gramsEach() decimal.Decimal {
	names := map[string]string{"g": "GRAMS", "kg": "KILOGRAMS", "oz": "OUNCES", "lbs": "POUNDS"}
	return decimal.RequireFromString(gramsOf[names[s.weightUnit()]])
}

func taxOptions() []option {
	return []option{
		{"woocommerce_prices_include_tax", "Prices entered with tax", "radio", "no"},
		{"woocommerce_tax_based_on", "Calculate tax based on", "select", "shipping"},
		{"woocommerce_shipping_tax_class", "Shipping tax class", "select", "inherit"},
		{"woocommerce_tax_round_at_subtotal", "Rounding", "checkbox", "no"},
		{"woocommerce_tax_classes", "Additional tax classes", "textarea", ""},
		{"woocommerce_tax_display_shop", "Display prices in the shop", "select", "excl"},
		{"woocommerce_tax_display_cart", "Display prices during cart and checkout", "select", "excl"},
		{"woocommerce_price_display_suffix", "Price display suffix", "text", ""},
		{"woocommerce_tax_total_display", "Display tax totals", "select", "itemized"},
	}
}

func (c *call) options(group, id string) *reply {
	known := generalOptions()
	switch group {
	case "products":
		known = c.s.productOptions()
	case "tax":
		known = taxOptions()
	}
	if id == "" {
		return c.all(func(e *encoder) {
			for i := range known {
				e.writeOption(group, &known[i])
			}
		})
	}
	i := slices.IndexFunc(known, func(o option) bool { return o.id == id })
	if i < 0 {
		return failure(http.StatusNotFound, "rest_setting_setting_invalid", "Invalid setting.")
	}
	return c.one(func(e *encoder) { e.writeOption(group, &known[i]) })
}

func (e *encoder) writeOption(group string, o *option) {
	e.start()
	e.str("id", o.id)
	e.str("label", o.label)
	e.str("description", "")
	e.str("type", o.kind)
	e.str("default", "")
	e.str("tip", "")
	e.str("value", o.value)
	e.object("_links", func() {
		e.href("self", wooRoot+"/settings/"+group+"/"+o.id)
		e.href("collection", wooRoot+"/settings/"+group)
	})
	e.close('}')
}

// zones serves the shipping zones, one of them, or its methods.
func (c *call) zones(id, below string) *reply {
	if id == "" {
		return c.all(func(e *encoder) {
			for i := range shippingZones {
				e.writeZone(i)
			}
		})
	}
	zone, err := strconv.Atoi(id)
	if err != nil || zone < 0 || zone >= len(shippingZones) {
		return failure(http.StatusNotFound, "woocommerce_rest_shipping_zone_invalid", "Resource does not exist.")
	}
	switch below {
	case "":
		return c.one(func(e *encoder) { e.writeZone(zone) })
	case "methods":
		return c.all(func(e *encoder) {
			for i := range shippingMethods {
				if shippingMethods[i].zone == zone {
					e.writeMethod(&shippingMethods[i], i)
				}
			}
		})
	case "locations":
		return c.all(func(e *encoder) {
			for _, country := range shippingZones[zone].countries {
				e.start()
				e.str("code", country)
				e.str("type", "country")
				e.close('}')
			}
		})
	}
	return noRoute()
}

func (e *encoder) writeZone(i int) {
	e.start()
	e.int("id", int64(i))
	e.str("name", shippingZones[i].name)
	e.int("order", 0)
	e.links("/shipping/zones", int64(i), allowAll, func() {
		e.href("describedby", wooRoot+"/shipping/zones/"+strconv.Itoa(i)+"/locations")
	})
	e.close('}')
}

func (e *encoder) writeMethod(m *shippingMethod, order int) {
	at := "/shipping/zones/" + strconv.Itoa(m.zone)
	e.start()
	e.int("id", int64(m.instance))
	e.int("instance_id", int64(m.instance))
	e.str("title", m.title)
	e.int("order", int64(order+1))
	e.bool("enabled", true)
	e.str("method_id", m.code)
	e.str("method_title", methodTitle(m.code))
	e.str("method_description", "")
	e.raw("settings", "{}")
	e.links(at+"/methods", int64(m.instance), allowAll, func() { e.href("describes", wooRoot+at) })
	e.close('}')
}

func (e *encoder) writeMethodKinds() {
	for _, code := range []string{"flat_rate", "free_shipping", "local_pickup"} {
		e.start()
		e.str("id", code)
		e.str("title", methodTitle(code))
		e.str("description", "")
		e.object("_links", func() {
			e.href("self", wooRoot+"/shipping_methods/"+code)
			e.href("collection", wooRoot+"/shipping_methods")
		})
		e.close('}')
	}
}

func methodTitle(code string) string {
	switch code {
	case "flat_rate":
		return "Flat rate"
	case "free_shipping":
		return "Free shipping"
	default:
		return "Local pickup"
	}
}

func (e *encoder) writeSystem(s *Shop) {
	e.start()
	e.object("environment", func() {
		e.address("home_url", "")
		e.address("site_url", "")
		e.str("version", s.opt.Version)
		e.str("wp_version", "7.0.4")
		e.str("php_version", "8.2.36")
		e.str("default_timezone", "UTC")
	})
	e.object("settings", func() {
		e.bool("api_enabled", false)
		e.bool("force_ssl", false)
		e.str("currency", currencies[eur].code)
		e.str("currency_symbol", "&euro;")
		e.str("currency_position", "right_space")
		e.str("thousand_separator", "")
		e.str("decimal_separator", ",")
		e.int("number_of_decimals", 2)
		e.bool("geolocation_enabled", false)
		e.raw("taxonomies", `{"external":"external","grouped":"grouped","simple":"simple","variable":"variable"}`)
		e.object("product_visibility_terms", func() {
			for _, term := range []string{"exclude-from-catalog", "exclude-from-search", "featured", "outofstock", "rated-1", "rated-2", "rated-3",
				"rated-4", "rated-5"} {
				e.str(term, term)
			}
		})
		e.str("woocommerce_com_connected", "no")
		e.bool("enforce_approved_download_dirs", true)
		e.str("order_datastore", `Automattic\WooCommerce\Internal\DataStores\Orders\OrdersTableDataStore`)
		e.bool("HPOS_enabled", true)
		e.bool("HPOS_sync_enabled", false)
		e.raw("enabled_features", `["analytics","marketplace","order_attribution","custom_order_tables","cost_of_goods_sold"]`)
	})
	e.close('}')
}
