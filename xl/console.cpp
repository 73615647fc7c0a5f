// SPDX-License-Identifier: Apache-2.0
#include "xl/command.hpp"
#include "xl/console_session.hpp"
#include "xl/options.hpp"
#include "xl/terminal.hpp"

namespace xl::cli {

Outcome<void> run_console(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(1, 1));
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(api::ByteStream stream, client.attach_console(options.words()[0]));
  const RawTerminal terminal;
  ConsoleSession session(std::move(stream));
  XL_TRY_ASSIGN(const ConsoleSession::Stop stop, session.run(-1));
  if (stop == ConsoleSession::Stop::console_ended && client.daemon_ended(session.fd())) {
    return Unexpected(
        Failure(Exit::unreachable, "xld has ended; the domain runs on, and `xl console " +
                                       options.words()[0] + "` shows it again"));
  }
  return {};
}

}  // namespace xl::cli
