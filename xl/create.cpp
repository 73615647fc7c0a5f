// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "xl/command.hpp"
#include "xl/config_file.hpp"
#include "xl/console_session.hpp"
#include "xl/follow.hpp"
#include "xl/format/timing.hpp"
#include "xl/message.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"
#include "xl/progress.hpp"
#include "xl/terminal.hpp"
#include "xl/timing.hpp"

namespace xl::cli {
namespace {

constexpr std::string_view no_graphics =
    "PVH guests have no graphics card and no VNC server; use -c, which shows the console";

struct Plan {
  api::CreateRequest request;
  bool console = false;
  bool foreground = false;
  bool check_only = false;
  bool quiet = false;
  bool verbose = false;
  bool timing = false;
  bool json = false;
};

Outcome<Plan> make_plan(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "cpqFenSf:dVA",
                                                      {{"quiet", 'q'},
                                                       {"dryrun", 'n'},
                                                       {"defconfig", 'f', true},
                                                       {"strict", 'S'},
                                                       {"vncviewer", 'V'},
                                                       {"vncviewer-autopass", 'A'},
                                                       {"ignore-global-affinity-masks", 'i'},
                                                       {"timing", 't'},
                                                       {"json", 'j'}}));
  for (const char letter : {'V', 'A'}) {
    XL_TRY(options.refuse(letter, no_graphics));
  }
  Plan plan;
  plan.console = options.has('c');
  plan.foreground = options.has('F');
  plan.check_only = options.has('n') || arguments.dry_run;
  plan.quiet = options.has('q');
  plan.verbose = arguments.verbosity > 0 || options.has('d');
  plan.timing = options.has('t');
  plan.json = options.has('j');
  if (plan.json && plan.console) {  // what -n prints is JSON anyway
    return wrong_usage("--json does not go with -c");
  }
  plan.request.paused = options.has('p');
  plan.request.ignore_death = options.has('e');
  plan.request.strict = options.has('S');
  plan.request.ignore_host_masks = options.has('i');
  std::optional<std::string> file;
  if (const char* given = options.value('f')) {
    file = given;
  }
  for (const std::string& word : options.words()) {
    if (word.find('=') != std::string::npos) {
      plan.request.overrides.push_back(word);
    } else if (file) {
      return wrong_usage("'" + word + "' is a second config file");
    } else {
      file = word;
    }
  }
  if (!file) {
    return wrong_usage("no config file was given (/dev/null serves if key=value says it all)");
  }
  plan.request.config_name = *file;
  XL_TRY_ASSIGN(plan.request.config_text, read_config(*file));
  char here[PATH_MAX];
  if (::getcwd(here, sizeof here) == nullptr) {
    return Unexpected(Failure(system_error(errno, "asking for the working directory")));
  }
  plan.request.working_directory = here;
  // Attached before the first instruction runs, so that no output is missed.
  plan.request.hold = plan.console && !plan.request.paused;
  return plan;
}

void report(const Plan& plan, const api::CreatedView& created) {
  if (!plan.quiet) {
    print_findings(created.rendered_warnings);
    for (const std::string& warning : created.warnings) {
      print_warning(warning);
    }
  }
  if (plan.verbose) {
    print_note(format("created domain '%s', domid %u\n", created.name.c_str(),
                      static_cast<unsigned>(created.domid)));
    for (const api::PhaseView& phase : created.phases) {
      print_note(
          format("  %-12s %8.3f ms\n", phase.phase.c_str(), static_cast<double>(phase.ns) / 1e6));
    }
  }
}

std::string domain_of(const Plan& plan) {
  return "a domain from '" + plan.request.config_name + "'";
}

Outcome<void> check(const Plan& plan, api::Client& client) {
  const auto ask = [&] {
    const Progress progress("checking " + domain_of(plan));
    return client.check(plan.request);
  };
  XL_TRY_ASSIGN(const api::CheckedView checked, ask());
  if (!plan.quiet) {
    print_findings(checked.rendered_warnings);
  }
  if (plan.verbose) {
    print_note(checked.layout);
  }
  print(checked.libxl);
  return {};
}

// A guest that breaks when it boots is started again and again: not without a word.
void warn_of_cause(const Follower& follower) {
  if (const std::string text = follower.cause_of_restart(); !text.empty()) {
    print_warning(text);
  }
}

Outcome<void> wait_in_foreground(Follower& follower, const std::string& name) {
  const auto wait = [&] {
    const Progress progress("'" + name + "' runs");
    return follower.next();
  };
  while (true) {
    XL_TRY_ASSIGN(const Follower::News news, wait());
    if (news == Follower::News::ended) {
      return follower.verdict();
    }
    warn_of_cause(follower);
  }
}

// The consoles of one domain and of its restarts. False: the user detached.
Outcome<bool> show_consoles(Follower& follower, api::Client& client, api::ByteStream stream) {
  const RawTerminal terminal;
  std::optional<ConsoleSession> session(std::move(stream));
  Follower::News news = Follower::News::none;
  while (true) {
    const bool watch = news == Follower::News::none;
    XL_TRY_ASSIGN(const ConsoleSession::Stop stop, session->run(watch ? follower.fd() : -1));
    if (stop == ConsoleSession::Stop::detached) {
      return false;
    }
    if (stop == ConsoleSession::Stop::other_readable) {
      XL_TRY_ASSIGN(news, follower.arrived());
      if (news == Follower::News::ended && follower.preserved()) {
        XL_TRY(session->drain());  // a domain that is kept keeps its console
        return true;
      }
      continue;  // the console's end is still to come
    }
    if (news == Follower::News::none) {
      XL_TRY_ASSIGN(news, follower.next());
    }
    while (news == Follower::News::restarted) {
      warn_of_cause(follower);
      terminal.begin_line();
      auto next = client.attach_console(std::to_string(follower.domid()));
      news = Follower::News::none;
      if (next) {
        session.emplace(std::move(next).value());
        break;
      }
      XL_TRY_ASSIGN(news, follower.next());  // that one has ended already
    }
    if (news == Follower::News::ended) {
      return true;
    }
  }
}

// What follows is the guest's time.
void report_timing(const Plan& plan, const api::CreatedView& created, const Timing& timing) {
  if (plan.json) {
    print(timing_json(created, timing.phases()));
    flush_output();
  }
  if (plan.timing && !plan.json) {
    print_note(timing_table(timing.phases()));
  }
}

}  // namespace

Outcome<void> run_create(const Arguments& arguments) {
  Timing timing;
  timing.done("start");
  XL_TRY_ASSIGN(const Plan plan, make_plan(arguments));
  timing.done("read");
  XL_TRY_ASSIGN(api::Client client, connect());
  timing.done("xld", client.started_daemon() ? "started" : "");
  if (plan.check_only) {
    return check(plan, client);
  }
  std::optional<Follower> follower;
  if (plan.console || plan.foreground) {
    XL_TRY_ASSIGN(api::LineStream events, client.events());
    follower.emplace(std::move(events));
    timing.done("events");
  }
  const auto create = [&] {
    const Progress progress("creating " + domain_of(plan));
    return client.create(plan.request);
  };
  XL_TRY_ASSIGN(const api::CreatedView created, create());
  timing.done(created.phases, "request");
  report(plan, created);
  if (!plan.console) {
    timing.done("report");
    report_timing(plan, created, timing);
  }
  if (!follower) {
    return {};
  }
  follower->follow(created.domid, created.name);
  const std::string domain = std::to_string(created.domid);
  if (plan.console) {
    XL_TRY_ASSIGN(api::ByteStream stream, client.attach_console(domain));
    timing.done("console");
    if (plan.request.hold) {
      XL_TRY(client.unpause(domain));
    }
    timing.done("unpause");
    report_timing(plan, created, timing);
    XL_TRY_ASSIGN(const bool to_the_end, show_consoles(*follower, client, std::move(stream)));
    return to_the_end ? follower->verdict() : Outcome<void>();
  }
  return wait_in_foreground(*follower, created.name);
}

}  // namespace xl::cli
