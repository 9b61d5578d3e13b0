/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Records of holders: what stands in a command line or an environment, by whomever. */

#include "fuzz.h"

#include <errno.h>

#include <ipckit/hold.h>

/* A record that was read is written, and is read as the same again. */
static void check_again(const struct ipckit_hold *hold, size_t room)
{
	struct ipckit_hold again;
	char *text = malloc(room);

	if (!text)
		exit(1);
	HOLDS(ipckit_hold_format(hold, text, room) < (int)room);
	HOLDS(!strpbrk(text, "\n\t\033"));
	HOLDS(!ipckit_hold_parse(text, &again));
	HOLDS(again.holding == hold->holding && again.job == hold->job);
	HOLDS(again.count == hold->count && again.since_ms == hold->since_ms);
	HOLDS(!strcmp(again.at, hold->at) && strlen(again.objects) == strlen(hold->objects));
	free(text);
}

static void check_cut(const struct ipckit_hold *hold)
{
	char whole[128], part[64];
	int length = ipckit_hold_format(hold, whole, sizeof(whole));

	HOLDS(ipckit_hold_format(hold, part, sizeof(part)) == length);
	HOLDS(length < 0 || !strncmp(whole, part, sizeof(part) - 1));
	HOLDS(ipckit_hold_format(hold, NULL, 0) == length);
}

/* Every identity of a record is found in it; less or more than one is not. */
static void check_identities(const struct ipckit_hold *hold)
{
	char at[sizeof(hold->at)], *rest = at, *identity;

	strcpy(at, hold->at);
	while ((identity = strsep(&rest, ","))) {
		HOLDS(*identity && ipckit_hold_is_at(hold, identity));
		identity[strlen(identity) - 1] = 'z';
		HOLDS(!ipckit_hold_is_at(hold, identity));
	}
	HOLDS(!ipckit_hold_is_at(hold, ""));
	HOLDS(!strchr(hold->at, ',') == ipckit_hold_is_at(hold, hold->at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct ipckit_hold hold, before;
	int r;

	memset(&hold, 0x5a, sizeof(hold));
	before = hold;
	r = ipckit_hold_parse(text, &hold);
	HOLDS(r == 0 || r == -EBADMSG);
	if (r) {
		HOLDS(!memcmp(&hold, &before, sizeof(hold)));
	} else {
		HOLDS(hold.job > 0 && hold.count > 0 && hold.since_ms >= 0);
		HOLDS(hold.objects >= text && hold.objects <= text + strlen(text));
		check_again(&hold, strlen(text) + 64);
		check_cut(&hold);
		check_identities(&hold);
	}
	free(text);
	return 0;
}
