package sandbox

import "slices"

// shopifyTypes are all types of the Shopify dialect, each file's its own.
func shopifyTypes() []gqlType {
	return slices.Concat(
		bulkTypes(),
		rootTypes(),
		moneyTypes(),
		countTypes(),
		orderTypes(),
		lineTypes(),
		refundTypes(),
		returnTypes(),
		agreementTypes(),
		paymentTypes(),
		payoutTypes(),
		goodsTypes(),
		stockTypes(),
		inventoryTypes(),
		metafieldTypes(),
		writtenGoodsTypes(),
		collectionTypes(),
		sourceTypes(),
		jobTypes(),
		subscriptionTypes(),
		errandTypes(),
		closingTypes(),
		repayTypes(),
		peopleTypes(),
		eventTypes(),
	)
}
