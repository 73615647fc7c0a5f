// SPDX-License-Identifier: Apache-2.0
// Preloaded under stock xl, so that it can do its dry runs on a machine without Xen: the calls of
// libxenctrl and libxenstore that it makes on the way there, answered as by a host with 8 CPUs.
#include <cstdlib>
#include <cstring>

// NOLINTBEGIN: the names and signatures are Xen's
extern "C" {

static void* handle() {
  return std::calloc(1, 65536);
}
void* xc_interface_open(void*, void*, unsigned) {
  return handle();
}
int xc_interface_close(void* interface) {
  std::free(interface);
  return 0;
}
void* xs_open(unsigned long) {
  return handle();
}
void* xs_daemon_open() {
  return handle();
}
void* xs_domain_open() {
  return handle();
}
void xs_close(void* store) {
  std::free(store);
}
int xs_fileno(void*) {
  return -1;
}
int xc_version(void*, int, void*) {
  return 0;
}
int xc_physinfo(void*, void*) {
  return 0;
}
int xc_get_max_cpus(void*) {
  return 8;
}
int xc_get_max_nodes(void*) {
  return 1;
}
int xc_sharing_freed_pages(void*) {
  return 0;
}
int xc_sharing_used_frames(void*) {
  return 0;
}
}
// NOLINTEND
