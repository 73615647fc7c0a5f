// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/console_session.hpp"
#include "xl/options.hpp"
#include "xl/terminal.hpp"

namespace xl::cli {

namespace {

// Of the consoles that stock xl lets choose among, a PVH guest has the first paravirtual one.
Outcome<void> check_choice(const Options& options) {
  const std::string_view type = options.has('t') ? options.value('t') : "pv";
  if (type != "pv" && type != "serial" && type != "vuart") {
    return wrong_usage("'" + std::string(type) + "' is not a console: pv or serial");
  }
  if (type != "pv") {
    return Unexpected(Failure(Exit::failure, ErrorId::command_refused,
                              "PVH guests have no emulated serial port; use `xl console -t pv`"));
  }
  const std::string_view number = options.has('n') ? options.value('n') : "0";
  if (number != "0") {
    return Unexpected(
        Failure(Exit::failure, ErrorId::not_found,
                "there is no console '" + std::string(number) + "': a domain has one, number 0"));
  }
  return {};
}

}  // namespace

Outcome<void> run_console(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "t:n:"));
  XL_TRY(options.need_words(1, 1));
  XL_TRY(check_choice(options));
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(api::ByteStream stream, client.attach_console(options.words()[0]));
  const RawTerminal terminal;
  ConsoleSession session(std::move(stream));
  XL_TRY_ASSIGN(const ConsoleSession::Stop stop, session.run(-1));
  if (stop == ConsoleSession::Stop::console_ended && client.daemon_ended(session.fd())) {
    return Unexpected(Failure(Exit::unreachable, ErrorId::daemon_went_away,
                              "xld has ended; the domain runs on, and `xl console " +
                                  options.words()[0] + "` shows it again"));
  }
  return {};
}

}  // namespace xl::cli
