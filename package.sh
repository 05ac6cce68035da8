#!/bin/bash
# Makes Debian packages: package.sh [OPTION]... [FOLDER]
#   --build-dir=DIR     of what is built in DIR already; without it, everything is built anew, with Debian's compiler flags
#   --version=VERSION   with that version in place of the source's, such as 0.2.0+1 of a rebuild
# They go to FOLDER (default: build/packages), which is emptied first. Runs no tests: ./run-tests.sh does.
set -euo pipefail

top=$(cd "$(dirname "$0")" && pwd)
export TANDEM_BUILD_DIR=''
version=$(sed -n 's/^project(tandem VERSION \([0-9.]*\) .*/\1/p' "$top/CMakeLists.txt")
folder=$top/build/packages
for word; do
    case $word in
        --build-dir=*) TANDEM_BUILD_DIR=$(realpath -e "${word#*=}") ;;
        --version=*) version=${word#*=} ;;
        -*) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2 && exit 2 ;;
        *) folder=$(realpath -m "$word") ;;
    esac
done

"$top/install-packages.sh" build package
rm -rf "$folder"
mkdir -p "$folder"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/tandem"
tar -C "$top" --exclude=./build --exclude=./.git -cf - . | tar -C "$scratch/tandem" -xf -
cp -r "$top/packaging/debian" "$scratch/tandem/debian"
"$top/packaging/changelog.py" "$version" <"$top/CHANGELOG.md" >"$scratch/tandem/debian/changelog"

jobs=$(nproc)
export DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$jobs ${DEB_BUILD_OPTIONS:-}"
(cd "$scratch/tandem" && dpkg-buildpackage --build=binary --no-sign)
mv "$scratch"/*.deb "$folder"
ls "$folder"/*.deb
