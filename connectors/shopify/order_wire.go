package shopify

// order is what is read of an order. Its lines come with it as far as a page
// holds them; the rest, and what stands in connections below lists, is added
// by complete.
type order struct {
	ID             scalar   `json:"id"`
	Name           scalar   `json:"name"`
	Created        scalar   `json:"createdAt"`
	Processed      scalar   `json:"processedAt"`
	Updated        scalar   `json:"updatedAt"`
	Cancelled      scalar   `json:"cancelledAt"`
	Closed         scalar   `json:"closedAt"`
	Test           bool     `json:"test"`
	Edited         bool     `json:"edited"`
	TaxesIncluded  bool     `json:"taxesIncluded"`
	DutiesIncluded bool     `json:"dutiesIncluded"`
	Currency       scalar   `json:"currencyCode"`
	Presented      scalar   `json:"presentmentCurrencyCode"`
	Financial      scalar   `json:"displayFinancialStatus"`
	Fulfilled      scalar   `json:"displayFulfillmentStatus"`
	Source         scalar   `json:"sourceName"`
	Note           scalar   `json:"note"`
	Email          scalar   `json:"email"`
	Phone          scalar   `json:"phone"`
	Codes          []scalar `json:"discountCodes"`
	Gateways       []scalar `json:"paymentGatewayNames"`
	Customer       node     `json:"customer"`
	Billing        *address `json:"billingAddress"`
	Shipping       *address `json:"shippingAddress"`
	Terms          *struct {
		Name scalar `json:"paymentTermsName"`
	} `json:"paymentTerms"`
	Total          bag  `json:"totalPriceSet"`
	Tax            *bag `json:"totalTaxSet"`
	Tip            bag  `json:"totalTipReceivedSet"`
	ShippingPrice  bag  `json:"totalShippingPriceSet"`
	OriginalDuties *bag `json:"originalTotalDutiesSet"`
	CurrentDuties  *bag `json:"currentTotalDutiesSet"`
	CashRounding   struct {
		Payment bag `json:"paymentSet"`
	} `json:"totalCashRoundingAdjustment"`
	Fees         []surcharge               `json:"additionalFees"`
	ShippingLine *shippingLine             `json:"shippingLine"`
	Transactions []transaction             `json:"transactions"`
	Fulfillments []fulfillment             `json:"fulfillments"`
	Refunds      []refund                  `json:"refunds"`
	Lines        connection[lineItem]      `json:"lineItems"`
	ShippingAll  *connection[shippingLine] `json:"shippingLines"` // nil: ShippingLine is the only one
	Agreements   connection[agreement]     `json:"agreements"`
}

// node names another record.
type node struct {
	ID scalar `json:"id"`
}

// bag is an amount in the shop's own currency and in the customer's.
type bag struct {
	Shop        moneyV2 `json:"shopMoney"`
	Presentment moneyV2 `json:"presentmentMoney"`
}

type taxLine struct {
	Title   scalar `json:"title"`
	Rate    scalar `json:"rate"`           // 0.055
	Percent scalar `json:"ratePercentage"` // 5.5
	Channel *bool  `json:"channelLiable"`  // nil: not known
	Price   bag    `json:"priceSet"`
}

type lineItem struct {
	ID          scalar `json:"id"`
	Name        scalar `json:"name"`
	SKU         scalar `json:"sku"`
	Quantity    scalar `json:"quantity"`        // ever ordered
	Current     scalar `json:"currentQuantity"` // less what was refunded or removed
	Ships       bool   `json:"requiresShipping"`
	GiftCard    bool   `json:"isGiftCard"`
	Variant     node   `json:"variant"`
	Product     node   `json:"product"`
	Attributes  []pair `json:"customAttributes"`
	Original    bag    `json:"originalTotalSet"`
	Allocations []struct {
		Amount bag `json:"allocatedAmountSet"`
	} `json:"discountAllocations"`
	Taxes  []taxLine   `json:"taxLines"`
	Duties []surcharge `json:"duties"`
}

type pair struct {
	Key   scalar `json:"key"`
	Value scalar `json:"value"`
}

// surcharge is a duty on a line, or an additional fee of the order.
type surcharge struct {
	ID    scalar    `json:"id"`
	Name  scalar    `json:"name"`
	Price bag       `json:"price"`
	Taxes []taxLine `json:"taxLines"`
}

type shippingLine struct {
	ID         scalar    `json:"id"`
	Title      scalar    `json:"title"`
	Code       scalar    `json:"code"`
	Removed    bool      `json:"isRemoved"`
	Original   bag       `json:"originalPriceSet"`
	Discounted bag       `json:"discountedPriceSet"`
	Taxes      []taxLine `json:"taxLines"`
}

type transaction struct {
	ID        scalar `json:"id"`
	Kind      scalar `json:"kind"`
	Status    scalar `json:"status"`
	Gateway   scalar `json:"gateway"`
	Title     scalar `json:"formattedGateway"`
	PaymentID scalar `json:"paymentId"`
	Created   scalar `json:"createdAt"`
	Processed scalar `json:"processedAt"`
	Amount    bag    `json:"amountSet"`
	Rounding  bag    `json:"amountRoundingSet"`
	Parent    node   `json:"parentTransaction"`
	Fees      []struct {
		Amount moneyV2 `json:"amount"`
		Tax    moneyV2 `json:"taxAmount"`
	} `json:"fees"`
}

type fulfillment struct {
	ID       scalar `json:"id"`
	Created  scalar `json:"createdAt"`
	Status   scalar `json:"status"`
	Total    scalar `json:"totalQuantity"`
	Location node   `json:"location"`
	Tracking []struct {
		Company scalar `json:"company"`
		Number  scalar `json:"number"`
	} `json:"trackingInfo"`
	Lines connection[fulfillmentLine] `json:"fulfillmentLineItems"`
}

type fulfillmentLine struct {
	Quantity scalar `json:"quantity"`
	Line     node   `json:"lineItem"`
}

type refund struct {
	ID           scalar                     `json:"id"`
	Created      scalar                     `json:"createdAt"`
	Processed    scalar                     `json:"processedAt"`
	Note         scalar                     `json:"note"`
	Lines        connection[refundLine]     `json:"refundLineItems"`
	Shipping     connection[refundShipping] `json:"refundShippingLines"`
	Adjustments  connection[adjustment]     `json:"orderAdjustments"`
	Duties       []refundDuty               `json:"duties"`
	Transactions connection[transaction]    `json:"transactions"`
}

type refundLine struct {
	Quantity  scalar `json:"quantity"`
	Type      scalar `json:"restockType"`
	Restocked bool   `json:"restocked"`
	Line      node   `json:"lineItem"`
	Subtotal  bag    `json:"subtotalSet"`
	Tax       bag    `json:"totalTaxSet"`
}

type refundShipping struct {
	Line     node `json:"shippingLine"`
	Subtotal bag  `json:"subtotalAmountSet"`
	Tax      bag  `json:"taxAmountSet"`
}

type adjustment struct {
	Reason scalar `json:"reason"`
	Amount bag    `json:"amountSet"`
	Tax    bag    `json:"taxAmountSet"`
}

type refundDuty struct {
	Original node `json:"originalDuty"`
	Amount   bag  `json:"amountSet"`
}

// agreement is what was agreed on at one time: the order, an edit of it, a
// return or a refund.
type agreement struct {
	Type   string           `json:"__typename"`
	ID     scalar           `json:"id"`
	Refund node             `json:"refund"`
	Sales  connection[sale] `json:"sales"`
}

// sale is what an agreement changes of one line. What is taken back is
// negative.
type sale struct {
	Type     string `json:"__typename"`
	Action   scalar `json:"actionType"`
	Quantity scalar `json:"quantity"`
	Line     node   `json:"lineItem"` // of goods, tips and gift cards
	Total    bag    `json:"totalAmount"`
	Tax      bag    `json:"totalTaxAmount"`
	Discount bag    `json:"totalDiscountAmountBeforeTaxes"`
	Taxes    []struct {
		Amount bag     `json:"amount"`
		Line   taxLine `json:"taxLine"`
	} `json:"taxes"`
}
