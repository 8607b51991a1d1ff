/* SPDX-License-Identifier: BSD-2-Clause */
/* See mask_name.h. To mask one more: a word in one of the three tables. */
#include "base/mask_name.h"

#include <string.h>

#include "base/mask.h"
#include "base/util.h"

void mask_name_put(struct mask_name *w, uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		c |= 0x20;
	if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
		return;
	if (w->n == sizeof(w->s)) {
		memmove(w->s, w->s + 1, --w->n);
		w->is_longer = true;
	}
	w->s[w->n++] = (char)c;
}

bool mask_name_ends(const struct mask_name *w, const char *word)
{
	size_t n = strlen(word);

	return w->n >= n && !memcmp(w->s + w->n - n, word, n);
}

static bool name_is(const struct mask_name *w, const char *word)
{
	return !w->is_longer && w->n == strlen(word) && mask_name_ends(w, word);
}

/* A name that ends so is secret wherever it stands: csrf_token, X-Amz-Signature. */
static const char *const secret_ends[] = {
	"token",      "apikey",	    "accesskey",   "secretkey",	  "privatekey",
	"authkey",    "secret",	    "password",	   "passwd",	  "pwd",
	"passphrase", "signature",  "sessionid",   "sessid",	  "sessionkey",
	"jwt",	      "credential", "credentials", "accesskeyid", "subscriptionkey",
};
/* As a part of a longer name these mean something else: sort_key, error_code. */
static const char *const secret_params[] = {
	"key",		 "sig",	      "pass",	"code", "session", "sid",    "auth",
	"authorization", "otp",	      "pin",	"hmac", "ticket",  "bearer", "pw",
	"samlresponse",	 "assertion", "cookie",
};
static const char *const secret_fields[] = {
	"authorization",
	"proxyauthorization",
	"cookie",
	"cookie2",
	"setcookie",
	"setcookie2",
	"auth",
	"xauth",
	"xkey",
	"session",
	"xsession",
	"clientcert",
	"xforwardedclientcert",
};

static bool name_in(const struct mask_name *w, const char *const *words, size_t n,
		    bool (*match)(const struct mask_name *w, const char *word))
{
	for (size_t i = 0; i < n; i++) {
		if (match(w, words[i]))
			return true;
	}
	return false;
}

bool mask_name_is_param(const struct mask_name *w)
{
	return name_in(w, secret_ends, ARRAY_SIZE(secret_ends), mask_name_ends) ||
	       name_in(w, secret_params, ARRAY_SIZE(secret_params), name_is);
}

bool mask_name_is_field(const struct mask_name *w)
{
	return name_in(w, secret_ends, ARRAY_SIZE(secret_ends), mask_name_ends) ||
	       name_in(w, secret_fields, ARRAY_SIZE(secret_fields), name_is) ||
	       mask_name_ends(w, "authorization");
}

struct mask_name mask_name_of(const uint8_t *p, size_t len)
{
	struct mask_name w = { .n = 0 };

	for (size_t i = 0; i < len; i++)
		mask_name_put(&w, p[i]);
	return w;
}

bool mask_is_secret_param(const char *name, size_t len)
{
	struct mask_name w = mask_name_of((const uint8_t *)name, len);

	return mask_name_is_param(&w);
}

bool mask_is_secret_field(const char *name, size_t len)
{
	struct mask_name w = mask_name_of((const uint8_t *)name, len);

	return mask_name_is_field(&w);
}
