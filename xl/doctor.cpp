// SPDX-License-Identifier: Apache-2.0
// xl doctor: can this machine run domains? What needs no xld is looked at here; the rest by the
// program xld, which does not have to be able to serve for that.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "libxl++/api/daemon_checks.hpp"
#include "libxl++/api/launch.hpp"
#include "xl/command.hpp"
#include "xl/format/checks.hpp"
#include "xl/format/json.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

constexpr const char* install_all = "install all of xl++ in one version";

// The program, its version, and all that it says of the machine.
void ask_program(const api::RuntimeDir& dir, std::vector<Check>& checks) {
  const Result<std::string> program = api::find_daemon();
  if (!program) {
    checks.push_back(check_failed("xld", program.error().message, program.error().hint));
    return;
  }
  Result<api::DoctorReport> report = api::ask_daemon_program(*program, dir);
  if (!report) {
    checks.push_back(check_failed("xld", *program + ": " + describe(report.error()),
                                  "mend what it says, or " + std::string(install_all)));
    return;
  }
  const std::string found = "version " + report->version + ", " + *program;
  checks.push_back(
      report->version == XL_VERSION
          ? check_ok("xld", found)
          : check_failed("xld", found + ", but xl has version " XL_VERSION, install_all));
  std::move(report->checks.begin(), report->checks.end(), std::back_inserter(checks));
}

// The daemon that serves now, if one does: it may be of another version than its file.
Check check_running(const api::RuntimeDir& dir) {
  constexpr const char* name = "daemon";
  Result<api::Client> client = api::Client::connect_running(dir);
  if (!client && client.error().code == ErrorCode::not_found) {
    return check_ok(name, "xld does not run; xl starts it when it is needed");
  }
  if (!client) {
    return check_failed(
        name, client.error().message,
        client.error().hint.empty()
            ? "see `xl explain " + std::string(to_string(id_of(client.error()))) + "`"
            : client.error().hint);
  }
  const api::Answer<api::DaemonView> daemon = client->daemon();
  if (!daemon) {
    return check_failed(name, "xld does not answer: " + describe(daemon.error().error),
                        "end it (its log is " + dir.log_file() + "); domains run on");
  }
  const std::string found = "xld runs as process " + std::to_string(daemon->pid) + ", version " +
                            daemon->version + ", with " + std::to_string(daemon->domains) +
                            " domains";
  return daemon->version == XL_VERSION
             ? check_ok(name, found)
             : check_warning(name, found + ", but xl has version " XL_VERSION,
                             "`xl daemon stop`: the next command starts the new one, and domains "
                             "run on");
}

std::vector<Check> examine() {
  std::vector<Check> checks;
  checks.push_back(check_ok("xl", "version " XL_VERSION));
  const Result<api::RuntimeDir> dir = api::RuntimeDir::from_environment();
  if (!dir) {
    checks.push_back(check_failed("runtime directory", dir.error().message, dir.error().hint));
    return checks;
  }
  ask_program(*dir, checks);
  checks.push_back(check_running(*dir));
  return checks;
}

}  // namespace

Outcome<void> run_doctor(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "", {{"json", 'j'}}));
  XL_TRY(options.need_words(0, 0));
  const std::vector<Check> checks = examine();
  if (options.has('j')) {
    print(indented(nlohmann::json::parse(api::doctor_text({XL_VERSION, checks}))));
  } else {
    print(check_lines(checks));
  }
  if (!api::is_fit(checks)) {
    const auto failed = std::count_if(checks.begin(), checks.end(), [](const Check& check) {
      return check.status == CheckStatus::failed;
    });
    return Unexpected(Failure(Exit::failure, ErrorId::not_supported,
                              "this machine cannot run domains yet: " + std::to_string(failed) +
                                  (failed == 1 ? " check" : " checks") + " failed"));
  }
  if (!options.has('j')) {
    print("This machine can run domains.\n");
  }
  return {};
}

}  // namespace xl::cli
