package parse

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/weirnet/weir/stack/script/ast"
)

// dump returns a tree with the names of its types and of the fields that are not zero, and
// without positions: two trees that dump alike are the same script.
func dump(v any) string { return dumpValue(reflect.ValueOf(v)) }

func dumpValue(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		return dumpValue(v.Elem())
	case reflect.Struct:
		return dumpStruct(v)
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = dumpValue(v.Index(i))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v.Interface())
}

func dumpStruct(v reflect.Value) string {
	if m, ok := v.Interface().(ast.Maybe); ok {
		return fmt.Sprint(m.Value)
	}
	var parts []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Type == reflect.TypeFor[ast.Pos]() || v.Field(i).IsZero() || onlyPositions(v.Field(i)) {
			continue
		}
		if f.Type.Kind() == reflect.Bool {
			parts = append(parts, f.Name)
			continue
		}
		parts = append(parts, f.Name+":"+dumpValue(v.Field(i)))
	}
	return v.Type().Name() + "{" + strings.Join(parts, " ") + "}"
}

// onlyPositions reports whether a structure that is part of another says nothing but where.
func onlyPositions(v reflect.Value) bool {
	if v.Kind() != reflect.Struct {
		return false
	}
	for i := range v.NumField() {
		if v.Field(i).Type() != reflect.TypeFor[ast.Pos]() && !v.Field(i).IsZero() {
			return false
		}
	}
	return true
}
