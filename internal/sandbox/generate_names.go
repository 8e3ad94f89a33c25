package sandbox

import (
	"strconv"
	"strings"
)

// A spelling is a name, and how it stands in addresses.
type spelling struct{ native, latin string }

// A script is a stock of names that go together.
type script struct {
	weight        int // of a hundred people, how many have such a name
	given, family []spelling
}

// latinNames turns words whose address form is their own, in lower case.
func latinNames(words string) []spelling {
	var list []spelling
	for w := range strings.FieldsSeq(words) {
		list = append(list, spelling{w, strings.ToLower(w)})
	}
	return list
}

// spelled turns words of the form native=latin.
func spelled(words string) []spelling {
	var list []spelling
	for w := range strings.FieldsSeq(words) {
		native, latin, _ := strings.Cut(w, "=")
		list = append(list, spelling{native, latin})
	}
	return list
}

// scripts returns the stock of names.
func scripts() []script {
	return []script{
		{54,
			latinNames("Ana Bo Cy Dee Eva Fay Gus Hal Ida Jo Kit Lee Mae Ned Ola Pat Ray Sam Tess Uma Val Wes Xia Yan Zed Amara Bruno Clara Dario Elena Felix Greta Hugo Ines Jonas Karin Lars Mina Nora Oscar Petra Quinn Rosa Simon Tara Ursula Victor Wanda Yusuf Zara"),
			latinNames("Reed Stone Marsh Hill Brook Field Wood Lake Frost Vale Cole Dale Finch Grove Heath Lane Moor North Pike Ross Shaw Thorn Ward York Becker Costa Duarte Ekman Ferrari Gomes Hansen Ivanov Jansen Keller Lopez Meyer Novak Olsen Pereira Rossi Schmidt Tanaka Visser Weber")},
		{18,
			spelled("Zoë=zoe Renée=renee Łukasz=lukasz Søren=soren Çağla=cagla Nuño=nuno Đorđe=djordje Jürgen=juergen Ørjan=orjan Šárka=sarka Gülşen=gulsen Íñigo=inigo Małgorzata=malgorzata Björn=bjorn Ștefan=stefan Nguyên=nguyen"),
			spelled("Müller=mueller García=garcia Škoda=skoda Åberg=aberg Öztürk=ozturk Núñez=nunez Dvořák=dvorak Groß=gross Sørensen=sorensen Łoś=los Țăran=taran Ålund=alund Žižka=zizka Ó·Briain=obriain Trần=tran Gonçalves=goncalves")},
		{6,
			spelled("Νίκος=nikos Ελένη=eleni Γιώργος=giorgos Άννα=anna Δημήτρης=dimitris Σοφία=sofia"),
			spelled("Λίμνης=limnis Πέτρας=petras Βουνός=vounos Δασός=dasos Κάμπος=kampos")},
		{8,
			spelled("Анна=anna Иван=ivan Ольга=olga Дмитрий=dmitri Юлия=yulia Пётр=petr Світлана=svitlana Георги=georgi"),
			spelled("Лесной=lesnoy Речной=rechnoy Полев=polev Горный=gorny Зимин=zimin Озеров=ozerov")},
		{5,
			spelled("ليلى=layla عمر=omar سلمى=salma يوسف=yousef نور=nour"),
			spelled("الجبل=aljabal النهر=alnahr البحر=albahr الوادي=alwadi")},
		{6,
			spelled("小明=xiaoming 丽=li 伟=wei 静=jing 健太=kenta 花子=hanako"),
			spelled("山=shan 林=lin 河=he 田中=tanaka 森=mori")},
		{3,
			spelled("민준=minjun 서연=seoyeon 지호=jiho 하은=haeun"),
			spelled("김=kim 이=lee 박=park 최=choi")},
	}
}

// A person is invented: nobody has this name at these addresses.
type person struct {
	given, family string
	local         string // of addresses; nobody else's
}

func (p person) login() string { return p.local + "@example.com" }

// person invents somebody new. One name in seven of another script than Latin
// stands in addresses as it is written.
func (g *generator) person() person {
	n := g.rand.IntN(100)
	var from script
	for _, from = range g.names {
		if n -= from.weight; n < 0 {
			break
		}
	}
	given, family := pick(g, from.given), pick(g, from.family)
	p := person{given: given.native, family: strings.ReplaceAll(family.native, "·", " ")}
	key := given.latin + "." + family.latin
	p.local = key
	if given.native != given.latin && from.weight < 50 && g.oneIn(7) {
		p.local = strings.ToLower(given.native + "." + strings.ReplaceAll(family.native, "·", ""))
	}
	// Counted by the address form: to Okta, zoë and zoe are one login.
	g.locals[key]++
	if n := g.locals[key]; n > 1 {
		p.local += strconv.Itoa(n)
	}
	if g.oneIn(300) {
		p.given += " 🚀"
	}
	return p
}

// plain invents somebody whose addresses are in ASCII.
func (g *generator) plain() person {
	for {
		p := g.person()
		if strings.IndexFunc(p.local, func(r rune) bool { return r > 127 }) < 0 {
			return p
		}
	}
}
