// SPDX-License-Identifier: Apache-2.0
// Prints docs/errors.md; at build time only.
#include <cstdio>

#include "base/errors/catalogue.hpp"

int main() {
  return std::fputs(xl::errors::markdown().c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}
