// SPDX-License-Identifier: Apache-2.0
#include "base/errors/chapters.hpp"

namespace xl::errors {
namespace {

constexpr ErrorRow rows[] = {
    {ErrorId::bad_usage, ErrorCode::invalid_argument, "bad-usage", "the command line is wrong",
     "An option that the command has not, a value that is missing or cannot be, or a word too many "
     "or too few.",
     "`xl help COMMAND` prints what the command takes; xl(1) says it at length."},
    {ErrorId::unknown_command, ErrorCode::invalid_argument, "unknown-command",
     "there is no such command",
     "The first word that is no option names no command of xl, or may stand for several.",
     "`xl help` lists the commands. A name may be shortened as long as it stays unambiguous."},
    {ErrorId::command_refused, ErrorCode::not_supported, "command-refused",
     "this command of Xen's has nothing to work on here",
     "PVH guests, or the bundled hypervisor, do not have what it is about; the message says what.",
     "The message names what serves instead; `xl help --long` lists all such commands."},
    {ErrorId::output_lost, ErrorCode::io, "output-lost", "what was printed did not get out",
     "Standard output is a full disk, a closed pipe, or a terminal that is not there.",
     "Look at where the output goes, and at the space there (`df`)."},
    {ErrorId::not_a_terminal, ErrorCode::not_supported, "not-a-terminal", "this needs a terminal",
     "The command draws on a terminal, and its output is a file or a pipe, or TERM names one that "
     "is not known.",
     "Use the form that prints (`xl top -b`), or set TERM to what the terminal is."},
};

}  // namespace

const ErrorChapter command_line = {"The command line", "What xl refuses before it asks anybody.",
                                   rows};

}  // namespace xl::errors
