// SPDX-License-Identifier: Apache-2.0
// What a subcommand is. Each lies in a file of its own and hands out one function.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libxl++/api/client.hpp"
#include "libxl++/api/wire.hpp"

namespace xl::cli {

// Exit statuses, as in xl(1).
enum class Exit {
  success = 0,
  failure = 1,         // anything that has no status of its own
  usage = 2,           // the command line is wrong
  invalid = 3,         // a config or an image cannot be used
  not_found = 4,       // no such domain or file
  unreachable = 5,     // xld or the hypervisor did not answer
  domain_crashed = 6,  // create -F, -c, wait: the domain did not end well, or too early
  timeout = 7,         // wait: it was not so far within the given time
};

struct Arguments {
  // --- the global options, which stand before the command ---
  int verbosity = 0;             // how many -v
  bool dry_run = false;          // -N: check and show, change nothing
  bool force = false;            // -f
  bool carriage_return = false;  // -t: progress by plain CR, without terminal codes
  bool stamps = false;           // -T: time and pid before each message

  std::string_view command;        // its full name
  std::vector<std::string> words;  // what stands behind it
};

// A function returns its success status; errors are printed by main, once.
struct Failure {
  Failure(Exit code, std::string line, bool ready = false)
      : exit(code), text(std::move(line)), complete(ready) {}
  Failure(Exit code, ErrorId which, std::string line)
      : exit(code), text(std::move(line)), id(which) {}
  Failure(Exit code, const Error& error) : Failure(code, id_of(error), describe(error)) {}
  Failure(const Error& error);           // NOLINT: implicit, so that XL_TRY passes errors on
  Failure(const api::WireError& error);  // NOLINT

  Exit exit;
  std::string text;           // without "xl: error: ", unless
  bool complete = false;      // it is ready to print (a config's findings, with caret)
  std::optional<ErrorId> id;  // which of docs/errors.md
};

template <typename T>
using Outcome = Result<T, Failure>;

Unexpected<Failure> wrong_usage(std::string text);

enum class Effect {
  none,      // it only asks
  changes,   // it changes something, at once
  dry_runs,  // it changes something, or shows with -N what it would do
};

struct Command {
  std::string_view name;
  std::string_view parameters;
  std::string_view summary;                // one sentence without full stop
  std::string_view options;                // one line each, or empty
  Outcome<void> (*run)(const Arguments&);  // null: refused, and the summary is the reason
  Effect effect = Effect::none;
};

std::span<const Command> commands();          // those that work, in the order of `xl help`
std::span<const Command> refused_commands();  // the others of xl(1)
// By name or unambiguous prefix; of one that works first.
Outcome<const Command*> find_command(std::string_view name);

// Connects to the daemon that the environment names, starting it if need be.
Outcome<api::Client> connect();
// In a dry run, as stock xl: a name has to be that of a domain, a domid is taken unseen.
Outcome<void> check_target(api::Client& client, const std::string& domain);

// --- the functions, in their files ---
Outcome<void> run_claims(const Arguments& arguments);
Outcome<void> run_completion(const Arguments& arguments);
Outcome<void> run_config_convert(const Arguments& arguments);
Outcome<void> run_block_attach(const Arguments& arguments);
Outcome<void> run_network_attach(const Arguments& arguments);
Outcome<void> run_console(const Arguments& arguments);
Outcome<void> run_cpupool_list(const Arguments& arguments);
Outcome<void> run_create(const Arguments& arguments);
Outcome<void> run_daemon(const Arguments& arguments);
Outcome<void> run_destroy(const Arguments& arguments);
Outcome<void> run_device_list(const Arguments& arguments);
Outcome<void> run_dmesg(const Arguments& arguments);
Outcome<void> run_domid(const Arguments& arguments);
Outcome<void> run_domname(const Arguments& arguments);
Outcome<void> run_events(const Arguments& arguments);
Outcome<void> run_getenforce(const Arguments& arguments);
Outcome<void> run_doctor(const Arguments& arguments);
Outcome<void> run_explain(const Arguments& arguments);
Outcome<void> run_help(const Arguments& arguments);
Outcome<void> run_info(const Arguments& arguments);
Outcome<void> run_inspect(const Arguments& arguments);
Outcome<void> run_list(const Arguments& arguments);
Outcome<void> run_mem_max(const Arguments& arguments);
Outcome<void> run_mem_set(const Arguments& arguments);
Outcome<void> run_metrics(const Arguments& arguments);
Outcome<void> run_pause(const Arguments& arguments);
Outcome<void> run_pci_assignable_list(const Arguments& arguments);
Outcome<void> run_rename(const Arguments& arguments);
Outcome<void> run_trigger(const Arguments& arguments);
Outcome<void> run_top(const Arguments& arguments);
Outcome<void> run_unpause(const Arguments& arguments);
Outcome<void> run_dump_core(const Arguments& arguments);
Outcome<void> run_sharing(const Arguments& arguments);
Outcome<void> run_shutdown(const Arguments& arguments);
Outcome<void> run_reboot(const Arguments& arguments);
Outcome<void> run_sysrq(const Arguments& arguments);
Outcome<void> run_button_press(const Arguments& arguments);
Outcome<void> run_uptime(const Arguments& arguments);
Outcome<void> run_sched_credit2(const Arguments& arguments);
Outcome<void> run_validate(const Arguments& arguments);
Outcome<void> run_vcpu_list(const Arguments& arguments);
Outcome<void> run_vcpu_pin(const Arguments& arguments);
Outcome<void> run_vcpu_set(const Arguments& arguments);
Outcome<void> run_version(const Arguments& arguments);
Outcome<void> run_vm_list(const Arguments& arguments);
Outcome<void> run_wait(const Arguments& arguments);

}  // namespace xl::cli
