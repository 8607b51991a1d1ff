// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/kfunc.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stddef.h>

static struct btf_type *declaration(const struct btf *btf, const char *name)
{
	int id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : -1;

	return id <= 0 ? NULL : (struct btf_type *)btf__type_by_id(btf, id);
}

static struct btf_type *prototype(const struct btf *btf, const struct btf_type *func)
{
	struct btf_type *t = func ? (struct btf_type *)btf__type_by_id(btf, func->type) : NULL;

	return t && btf_is_func_proto(t) ? t : NULL;
}

/* Without const, typedef and the like. */
static const struct btf_type *bare(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

/* What libbpf compares of two pointers is the kind of thing they point to. */
static bool points_to_struct(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = bare(btf, id);

	t = t && btf_is_ptr(t) ? bare(btf, t->type) : NULL;
	return t && btf_is_struct(t);
}

/* In place: the opened object points into these bytes (flight.c). The first argument is a
 * struct's address on both sides, and its type does for any. */
bool kfunc_fit(const struct bpf_object *obj, const struct btf *vmlinux, const char *name)
{
	const struct btf *ours = bpf_object__btf(obj);
	struct btf_type *mine = prototype(ours, declaration(ours, name));
	const struct btf_type *theirs = prototype(vmlinux, declaration(vmlinux, name));
	struct btf_param *p = mine ? btf_params(mine) : NULL;

	if (!mine || !theirs || btf_vlen(mine) != btf_vlen(theirs))
		return false;
	for (int i = 1; i < btf_vlen(mine); i++) {
		if (points_to_struct(vmlinux, btf_params(theirs)[i].type) &&
		    !points_to_struct(ours, p[i].type))
			p[i].type = p[0].type;
	}
	return true;
}

void kfunc_hide(const struct bpf_object *obj, const char *name)
{
	const struct btf *ours = bpf_object__btf(obj);
	const struct btf_type *t = declaration(ours, name);
	char *text = t ? (char *)btf__name_by_offset(ours, t->name_off) : NULL;

	if (text)
		text[0] = '_'; /* a weak symbol of a name that nobody has */
}
