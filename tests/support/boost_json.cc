// Boost.JSON from its sources, for builds with sanitizers (CMakeLists.txt).
#include <boost/json/src.hpp>
