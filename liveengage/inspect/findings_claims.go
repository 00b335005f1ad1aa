package inspect

func timeKinds() []FindingKind {
	const seconds = "write whole seconds since 1970, as a number"
	var out []FindingKind
	for _, name := range []string{"exp", "iat"} {
		out = append(
			out,
			FindingKind{name + "-missing", Error, name + " is missing; LivePerson's documentation requires it", seconds},
			FindingKind{
				name + "-milliseconds", Error,
				name + " is in milliseconds, as in an example in LivePerson's documentation, or in a smaller unit",
				"divide by 1000: " + seconds,
			},
			FindingKind{
				name + "-string", Error,
				name + " is a string, as in an example in LivePerson's documentation",
				seconds,
			},
			FindingKind{name + "-fraction", Error, name + " has a fraction or an exponent", seconds},
			FindingKind{name + "-negative", Error, name + " is negative", seconds},
			FindingKind{name + "-type", Error, name + " is not a number", seconds},
		)
	}
	return append(
		out,
		FindingKind{
			"expired", Error,
			"exp is in the past (1012)",
			"make the page get a new token each time the chat asks for one",
		},
		FindingKind{
			"exp-before-iat", Error,
			"exp is not later than iat",
			"set exp to iat plus the lifetime",
		},
		FindingKind{
			"iat-future", Error,
			"iat is more than a minute in the future",
			"correct the clock of the machine that issues tokens",
		},
		FindingKind{
			"lifetime-long", Warn,
			"the token is valid for more than 24 hours; LiveEngage notices a sign-out only after exp",
			"limit the lifetime to an hour",
		},
	)
}

func issuerKinds() []FindingKind {
	const sameAsConnector = "write the issuer exactly as in the connector"
	return []FindingKind{
		{
			"iss-missing", Error,
			"iss is missing; LivePerson's documentation requires it",
			sameAsConnector,
		},
		{
			"iss-type", Error,
			"iss is not a string",
			sameAsConnector,
		},
		{
			"iss-differs", Error,
			"iss is not the expected issuer",
			"use exactly the same iss in the token, the connector and the identity function",
		},
		{
			"iss-not-url", Warn,
			"iss is not a web URL; the newest LiveEngage form requires one",
			"use the https URL of the provider",
		},
	}
}

func subjectKinds() []FindingKind {
	const random = "give each customer a random sub that never changes"
	return []FindingKind{
		{
			"sub-missing", Error,
			"sub is missing; LiveEngage needs it to tell customers apart",
			random,
		},
		{
			"sub-type", Error,
			"sub is not a string",
			"write sub as a string, in quotes",
		},
		{
			"sub-malformed", Error,
			"sub is not valid according to OIDC Core section 2",
			random,
		},
		{
			"sub-email", Error,
			"sub is an email address, which LivePerson's documentation forbids: others can guess it",
			random,
		},
		{
			"sub-phone", Error,
			"sub is a phone number, which LivePerson's documentation forbids: others can guess it",
			random,
		},
		{
			"sub-constant", Warn,
			"sub looks like a value that all customers share, which merges them into one conversation",
			random,
		},
		{
			"sub-short", Warn,
			"sub has fewer than 8 characters and can be guessed",
			random,
		},
		{
			"sub-number", Warn,
			"sub is a short number; others can be found by counting",
			random,
		},
		{
			"sub-differs", Error,
			"sub is not the sub of the identity function",
			"use the same sub in the identity function and in the token",
		},
	}
}

func claimKinds() []FindingKind {
	return []FindingKind{
		{
			"claims-not-json", Error,
			"the claims are not a JSON object (1009, 1011)",
			"write the claims as one JSON object",
		},
		{
			"claim-type", Error,
			"a claim that LiveEngage shows has the wrong type",
			"write a string, or remove the claim",
		},
		{
			"claim-value", Error,
			"a claim that LiveEngage shows has an invalid value",
			"correct the value, or remove the claim",
		},
		{
			"claim-odd", Warn,
			"a standard claim, one that LiveEngage does not show, violates OIDC Core section 5.1",
			"correct it, or remove the claim",
		},
		{
			"name-unseen", Warn,
			"name is sent without given_name and family_name; agents don't see name",
			"send given_name and family_name",
		},
		{
			"phone-as-imei", Note,
			"agents see phone_number in the field IMEI",
			"send phone numbers in lp_sdes, as contacts in personal",
		},
		{
			"claim-sde-conflict", Warn,
			"a claim and lp_sdes have different values; it is not known which one LiveEngage shows",
			"keep them equal",
		},
		{
			"customer-id-differs", Note,
			"customerId is not the sub; agents see one of the two as the Customer ID",
			"nothing, if that is intended",
		},
		{
			"customer-id-missing", Note,
			"ctmrinfo has no customerId; agents see sub as the Customer ID",
			"send customerId if agents should see your own number",
		},
	}
}

func sdesKinds() []FindingKind {
	const seeFinding = "see the finding"
	return []FindingKind{
		{
			"sdes-missing", Note,
			"the token has no lp_sdes: agents see only the standard claims",
			"send lp_sdes with ctmrinfo and personal if agents should see more",
		},
		{
			"sdes-misspelt", Warn,
			"a claim has a name similar to lp_sdes; LiveEngage does not read it",
			"write lp_sdes",
		},
		{
			"sdes-not-array", Error,
			"lp_sdes is not an array (1026)",
			`write [{"type":"ctmrinfo","info":{…}},{"type":"personal","personal":{…}}]`,
		},
		{
			"sdes-type", Error,
			"a type that LiveEngage does not accept in a token, such as cart or purchase",
			"send only ctmrinfo and personal",
		},
		{
			"sdes-wrapper", Error,
			"the fields are not inside info (for ctmrinfo) or personal (for personal)",
			"move the fields into info or personal",
		},
		{
			"sdes-case", Error,
			"a field name with wrong upper or lower case",
			seeFinding,
		},
		{
			"sdes-store", Error,
			"storeZipCode or storeNumber, which LiveEngage does not accept for an authenticated customer",
			"remove the field",
		},
		{
			"sdes-gender", Error,
			"gender is not MALE, FEMALE or OTHER; a table in LivePerson's documentation has numbers, all examples have words",
			`write "MALE", "FEMALE" or "OTHER"`,
		},
		{
			"sdes-date", Error,
			"a date is not an object with day, month and year",
			`write {"day":15,"month":10,"year":2014}`,
		},
		{
			"sdes-field", Error,
			"a field that is unknown to LiveEngage, has the wrong type or is empty",
			seeFinding,
		},
		{
			"sdes-value", Error,
			"a field with an invalid value, such as an unknown currency",
			seeFinding,
		},
	}
}
