/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The least that a process does: what the start of all others is measured against. */

int main(void)
{
	return 0;
}
