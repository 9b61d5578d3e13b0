// SPDX-License-Identifier: GPL-2.0-or-later

// Objects that are initialised at their first use, by whoever comes first; the others wait.

#include "stage.h"

#include <mutex>

static std::mutex mutex;
static std::once_flag flags[2];

static void use_first(unsigned from);
static void use_second(unsigned from);

struct first {
	first()
	{
		meet(0, 2);
		waits_for_any("static-init", 3);
		use_second(0);
	}
};

struct second {
	second()
	{
		meet(0, 2);
		waits_for_any("static-init", 3);
		use_first(1);
	}
};

static void use_first(unsigned)
{
	static first object;
}

static void use_second(unsigned)
{
	static second object;
}

static void use(unsigned me)
{
	(me == 0 ? use_first : use_second)(me);
}

static void play_two(long)
{
	threads(2, use);
}

struct locker {
	locker()
	{
		meet(0, 2);
		waits("mutex", 1);
		mutex.lock();
	}
};

static void use_locker()
{
	static locker object;
}

static void lock_or_use(unsigned me)
{
	if (me == 0)
		return use_locker();
	mutex.lock();
	meet(0, 2);
	waits_for_any("static-init", 3);
	use_locker();
}

static void play_mutex(long)
{
	threads(2, lock_or_use);
}

static void call(unsigned which)
{
	std::call_once(flags[which], [which] {
		meet(0, 2);
		waits_for_any("once", 3);
		call(1 - which);
	});
}

static void play_once(long)
{
	threads(2, call);
}

static const struct scene scenes[] = {
	{ "two", play_two, 0, 2, "certain" },
	{ "mutex", play_mutex, 0, 2, "certain" },
	{ "once", play_once, 0, 2, "certain" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
