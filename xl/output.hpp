// SPDX-License-Identifier: Apache-2.0
// Text to the terminal. stdio, not iostreams: those cost a start-up of their own.
#pragma once

#include <string>
#include <string_view>

namespace xl::cli {

void print(std::string_view text);       // stdout
void print_note(std::string_view text);  // stderr
// As printf.
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);
// False if something that was printed did not get out (a full disk).
bool flush_output();

}  // namespace xl::cli
