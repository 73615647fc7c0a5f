// SPDX-License-Identifier: Apache-2.0
// Starts xld on demand. Two commands that find no daemon at the same moment start one: the second
// waits at a lock until the first's daemon is ready. Readiness is an event (xld writes to a pipe),
// and so is failure (the pipe closes).
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "libxl++/api/runtime_dir.hpp"

namespace xl::api {

struct Launched {
  UniqueFd connection;
  bool started = false;  // false: it was running already
};

// Connects to the daemon of `dir`, starting it first if nobody listens. The daemon outlives the
// caller: own session, own log (dir.log_file()).
// xld is taken from $XLD, or looked for beside this program: in the build tree, then in libexec.
// Errors: not_found if there is no xld; io with xld's own last words if it did not come up.
Result<Launched> connect_or_start(const RuntimeDir& dir);

// The program that would be started; an absolute path. Error: daemon_missing.
Result<std::string> find_daemon();

// Why an xld did not start: what it wrote before it ended, with the name of the error in brackets.
// Without a name, daemon_not_started.
Error error_in_words(std::string_view words);

// While no xld runs: ends the hypervisor that an earlier one left, with its domains, whether it
// answers or not.
Result<void> end_left_domains(const RuntimeDir& dir);

}  // namespace xl::api
