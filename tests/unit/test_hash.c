/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/util.h"

#define KEYS 512

/* Random inserts and removes beside a plain array that cannot be wrong. Few keys and
 * many removals: probe chains form, wrap around the end and are closed again. */
static void test_behaves_like_an_array(void **state)
{
	static char objects[KEYS];
	void *model[KEYS] = { 0 };
	struct hash h;
	size_t count = 0;

	hash_init(&h);
	srand(502);
	for (int step = 0; step < 200000; step++) {
		size_t k = (size_t)rand() % KEYS;
		uint64_t key = k ? k * 0x1000000 : 0; /* key 0 is a key like any other */

		if (rand() % 2) {
			void *val = &objects[rand() % KEYS];

			assert_int_equal(hash_insert(&h, key, val), 0);
			count += !model[k];
			model[k] = val;
		} else {
			assert_ptr_equal(hash_remove(&h, key), model[k]);
			count -= !!model[k];
			model[k] = NULL;
		}
		assert_int_equal(h.count, count);
		k = (size_t)rand() % KEYS;
		assert_ptr_equal(hash_find(&h, k * 0x1000000), model[k]);
	}
	for (size_t k = 0; k < KEYS; k++)
		assert_ptr_equal(hash_find(&h, k * 0x1000000), model[k]);
	hash_fini(&h);
}

static void test_next_visits_each_entry_once(void **state)
{
	bool seen[1000] = { 0 };
	struct hash h;
	size_t pos = 0, n = 0;
	uint64_t key;
	void *val;

	hash_init(&h);
	assert_false(hash_next(&h, &pos, &key, &val));
	for (uint64_t i = 0; i < ARRAY_SIZE(seen); i++)
		assert_int_equal(hash_insert(&h, i, &seen[i]), 0);
	for (pos = 0; hash_next(&h, &pos, &key, &val); n++) {
		assert_ptr_equal(val, &seen[key]);
		assert_false(seen[key]);
		seen[key] = true;
	}
	assert_int_equal(n, ARRAY_SIZE(seen));
	hash_fini(&h);
}

static void test_empty_table_and_null_value(void **state)
{
	struct hash h;
	int x;

	hash_init(&h);
	assert_null(hash_find(&h, 1));
	assert_null(hash_remove(&h, 1));
	assert_int_equal(hash_insert(&h, 1, NULL), -EINVAL);
	assert_int_equal(hash_reserve(&h, 100), 0);
	assert_true(h.cap >= 100);
	assert_int_equal(hash_reserve(&h, SIZE_MAX / 2), -ENOMEM);
	assert_int_equal(hash_insert(&h, 1, &x), 0);
	assert_ptr_equal(hash_find(&h, 1), &x);
	hash_fini(&h);
	hash_fini(&h);
}

static void test_reserved_room_is_kept(void **state)
{
	struct hash h;
	struct hash_slot *slots;
	int x;

	hash_init(&h);
	assert_int_equal(hash_reserve(&h, 1000), 0);
	slots = h.slots;
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(hash_insert(&h, i, &x), 0);
	assert_ptr_equal(h.slots, slots);
	hash_fini(&h);
}

static void test_bytes_differ_by_content_length_and_seed(void **state)
{
	assert_int_equal(hash_bytes("abcdefghij", 10, 1), hash_bytes("abcdefghij", 10, 1));
	assert_int_not_equal(hash_bytes("abcdefghij", 10, 1), hash_bytes("abcdefghik", 10, 1));
	assert_int_not_equal(hash_bytes("abcdefgh\0", 8, 1), hash_bytes("abcdefgh\0", 9, 1));
	assert_int_not_equal(hash_bytes("abcdefghij", 10, 1), hash_bytes("abcdefghij", 10, 2));
}

struct item {
	int n;
	struct list link;
};

static void test_list_keeps_order_and_survives_removal(void **state)
{
	struct item items[4] = { { .n = 0 }, { .n = 1 }, { .n = 2 }, { .n = 3 } };
	struct list head, *pos, *tmp;
	int n = 0;

	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_first(&head));
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		list_push_back(&head, &items[i].link);
	list_for_each(pos, &head)
		assert_int_equal(list_entry(pos, struct item, link)->n, n++);
	list_for_each_safe(pos, tmp, &head) {
		if (list_entry(pos, struct item, link)->n % 2)
			list_remove(pos);
	}
	list_move_back(&head, &items[0].link);
	assert_ptr_equal(list_first(&head), &items[2].link);
	assert_ptr_equal(list_last(&head), &items[0].link);
	list_remove(&items[0].link);
	list_remove(&items[0].link); /* twice is harmless */
	list_remove(&items[2].link);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_behaves_like_an_array),
		cmocka_unit_test(test_next_visits_each_entry_once),
		cmocka_unit_test(test_empty_table_and_null_value),
		cmocka_unit_test(test_reserved_room_is_kept),
		cmocka_unit_test(test_bytes_differ_by_content_length_and_seed),
		cmocka_unit_test(test_list_keeps_order_and_survives_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
